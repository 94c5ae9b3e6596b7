import { request } from 'node:http';

/** What a server answers to a POST on a connection of its own: the status, or 0 when it cannot be reached. */
export function post(url: string): Promise<number> {
  return send('POST', url);
}

/** The same, for a GET. */
export function get(url: string): Promise<number> {
  return send('GET', url);
}

function send(method: string, url: string): Promise<number> {
  return new Promise((resolve) => {
    request(url, { method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', () => resolve(0))
      .end();
  });
}
