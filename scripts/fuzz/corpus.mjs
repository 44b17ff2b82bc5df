// Inputs of fuzz targets as text: one a line in base64, so that a few hundred small files are one that git can show.

/** The inputs of such a text. */
export function linesOf(text) {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => (line === '-' ? Buffer.alloc(0) : Buffer.from(line, 'base64')));
}

/** The text of inputs, each once, the shortest first. */
export function textOf(inputs) {
  const lines = [...new Set(inputs.map((bytes) => (bytes.length === 0 ? '-' : bytes.toString('base64'))))];
  const sorted = lines.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return `# One input a line, in base64; written by npm run fuzz\n${sorted.join('\n')}\n`;
}
