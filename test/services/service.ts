// What makes tests here is given its titles and bodies by the specs, and chooses among them by what there is:
// oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback, vitest/expect-expect
import { connect } from 'node:net';
import { describe, it } from 'vitest';

/** A server that some tests need. */
export interface Service {
  /** What to call it: `'Redis'`. */
  readonly name: string;
  /** The variable of the environment that says where it is. */
  readonly variable: string;
  /** Where it is looked for when the variable is not set. */
  readonly defaultUrl: string;
  /** Resolves when the server is of use to the tests, and rejects with the reason when it is not. Ends by itself. */
  check(url: string): Promise<unknown>;
}

/** Whether a server that is not there fails the tests that need it: `NIGHTSHIFT_REQUIRE_SERVICES=1`. */
const isRequired = process.env['NIGHTSHIFT_REQUIRE_SERVICES'] === '1';

export function urlOf({ variable, defaultUrl }: Service): string {
  return process.env[variable] ?? defaultUrl;
}

/**
 * Tests that need a server: a `describe` when it is there; otherwise one skipped test and one line that says how to provide
 * the server, or a failed test when servers are required. To be awaited at the top of a spec.
 */
export async function describeWithService(
  service: Service,
  title: string,
  define: (url: string) => void,
  describeIt: Describe = describe,
): Promise<void> {
  const url = urlOf(service);
  describeUnlessMissing(await whyMissing(service, url), title, () => define(url), describeIt);
}

/** How a suite is made: `describe`, or in a way of one's own. */
export type Describe = (title: string, define: () => void) => unknown;

/** The same, of whatever may be missing. @param missing one line that says what, and how to provide it */
export function describeUnlessMissing(
  missing: string | undefined,
  title: string,
  define: () => void,
  describeIt: Describe = describe,
): void {
  if (missing === undefined) {
    describeIt(title, define);
  } else if (isRequired) {
    it(title, () => {
      throw new Error(missing);
    });
  } else {
    process.stderr.write(`skipped: ${title}. ${missing}\n`);
    // oxlint-disable-next-line vitest/no-disabled-tests -- the server is not there
    it.skip(title, () => {});
  }
}

/** `undefined` when the server can be used. */
export async function whyMissing(service: Service, url: string): Promise<string | undefined> {
  try {
    await service.check(url);
    return undefined;
  } catch (error) {
    const { name, variable } = service;
    const why = error instanceof Error ? error.message : String(error);
    return `No ${name} at ${url} (${why}). Start one there (docker compose up -d --wait), or say in ${variable} where it is.`;
  }
}

/** Resolves when something listens at the host and port of a URL. */
export async function listens(url: string, usualPort: number, patienceMs = 2_000): Promise<void> {
  const { hostname, port } = new URL(url);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: hostname, port: port === '' ? usualPort : Number(port) });
    const end = (error?: Error): void => {
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.setTimeout(patienceMs, () => end(new Error(`no answer within ${patienceMs} ms`)));
    socket.once('connect', () => end());
    socket.once('error', end);
  });
}
