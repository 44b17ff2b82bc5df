// Plain requests to the server of --watch, and its events one by one.
import { type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export function ask(
  url: string,
  { path = '/', host, method = 'GET' }: { path?: string; host?: string; method?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const asked = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

export interface Listening {
  /** The next event's data, or 'end' when the server says so. */
  readonly next: () => Promise<string>;
  readonly isOver: Promise<void>;
}

export function listenTo(url: string): Promise<Listening> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const waiting: ((event: string) => void)[] = [];
    const events: string[] = [];
    const asked = request({ hostname, port, path: '/events', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          const event = block.startsWith('event: end') ? 'end' : block.replace(/^[\s\S]*data: /, '');
          const taker = waiting.shift();
          if (taker === undefined) events.push(event);
          else taker(event);
        }
      });
      const isOver = new Promise<void>((over) => response.on('close', () => over()));
      const next = () =>
        new Promise<string>((told) => {
          const event = events.shift();
          if (event === undefined) waiting.push(told);
          else told(event);
        });
      resolve({ next, isOver });
    });
    asked.on('error', reject);
    asked.end();
  });
}
