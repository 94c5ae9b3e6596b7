import { createHash } from 'node:crypto';

/** A name as SQL has it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as SQL has it. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
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
