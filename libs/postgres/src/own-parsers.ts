import type { PostgresClient, PostgresConnection } from './driver.js';

type Parser = (text: string) => unknown;

const json: Parser = (text) => JSON.parse(text) as unknown;

/** By the number of the type. Whatever else comes is text, numbers that may be too large for a `number` included. */
const parsers: Readonly<Record<number, Parser>> = {
  16: (text) => text === 't', // boolean
  23: Number, // int
  114: json,
  701: Number, // double precision
  3802: json, // jsonb
};

const asItIs: Parser = (text) => text;

/**
 * A connection whose answers are read as they are here, whatever the application has told `pg` to make of its own: it can do so
 * for the whole process, with `types.setTypeParser()`.
 */
export function withOwnParsers(client: PostgresClient): PostgresConnection {
  const types = {
    getTypeParser: (type: number, format?: string): unknown =>
      format === 'binary' ? client.getTypeParser?.(type, format) : (parsers[type] ?? asItIs),
  };
  return { query: (text, values) => client.query({ text, values, types }) };
}
