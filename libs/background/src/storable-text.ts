/** What a name, a key or a tag must be, beside what else is asked of it. */
export const storableText = 'text without NUL or half of a surrogate pair, which stores cannot keep';

/** Whether every store can keep a text as it is: UTF-8 cannot carry a lone surrogate, and databases end a text at NUL. */
export function isStorable(text: string): boolean {
  return isWellFormed(text) && !text.includes('\u0000');
}

/** Known to every Node that this library runs on, and not yet to the types it is compiled with. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
