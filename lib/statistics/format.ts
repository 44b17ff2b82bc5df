// How numbers and file-borne text are written for people, on the terminal and in the report.

const INTEGERS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1,234,567 */
export function integer(value: number): string {
  return Number.isFinite(value) ? INTEGERS.format(value) : '–';
}

/** A cost in its own unit: whole numbers as they are, others to five digits. */
export function amount(value: number): string {
  return Number.isInteger(value) ? integer(value) : significant(value, 5);
}

/** Fixed decimals, a dash where there is no number. */
export function decimal(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

/** A share as 98.7 % */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${decimal(100 * share, 1)} %`;
}

/** Significant digits; very small and very large values as 1.2e-7. */
export function significant(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(digits - 1);
  return value
    .toPrecision(digits)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** 0.3, 12.4, 245: seconds with the digits that matter. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** 0:07, 12:30, 1:02:03 */
export function clock(value: number): string {
  const whole = Math.max(0, Math.round(value));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(s).padStart(2, '0');
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${tail}` : `${m}:${tail}`;
}

const COUNT_UNITS = ['', ' k', ' M', ' G', ' T', ' P', ' E'] as const;

/** Multiply-adds as 0.63 T: the largest unit of which there is a tenth, with three digits. A dash where there is no number. */
export function multiplyAdds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  let unit = 0;
  let scaled = value;
  while (scaled >= 100 && unit < COUNT_UNITS.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const digits = unit === 0 ? 0 : scaled < 10 ? 2 : 1;
  return `${scaled.toFixed(digits)}${COUNT_UNITS[unit]}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1.5 MiB */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–';
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** One line, no control characters: a name from a file can neither break a line nor drive the terminal. */
export function oneLine(text: string): string {
  return text
    .replace(/[\r\n\t\u2028\u2029]+/g, ' ')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .trim();
}
