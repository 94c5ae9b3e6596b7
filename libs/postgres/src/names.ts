import { createHash } from 'node:crypto';

/** A name as SQL has it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as SQL has it. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The name of a channel has so many bytes at the most. */
const longestChannel = 63;

/** On which the processes of a schema tell each other what has changed. The name of a schema may itself be as long. */
export function toChannel(schema: string): string {
  const name = `nightshift ${schema}`;
  if (Buffer.byteLength(name) <= longestChannel) return name;
  return `nightshift ${createHash('sha256').update(schema).digest('hex').slice(0, 40)}`;
}

/** Longer keys do not fit into an index. */
const longestKey = 512;

/** A text that an index of PostgreSQL takes, and that differs wherever the given ones differ. */
export function toKey(text: string): string {
  const plain = toPlain(text);
  if (plain === text && text.length <= longestKey) return text;
  return `${toPlain(plain.slice(0, longestKey - 80))}… ${createHash('sha256').update(text).digest('hex')}`;
}

/** A text that PostgreSQL takes: without U+0000, and without halves of characters. */
export function toPlain(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed().replaceAll('\0', '␀');
}

/** JSON whose texts PostgreSQL takes. */
export function toPlainJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? toPlain(each) : each));
}
