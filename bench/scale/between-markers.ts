/** A page of which one part is written by a program, and the rest by hand. */
export function replaceBetween(page: string, name: string, text: string): string {
  const begin = `<!-- ${name}: written by a program, do not edit -->`;
  const end = `<!-- /${name} -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no part between '${begin}' and '${end}'.`);
  return `${page.slice(0, from)}${begin}\n\n${text.trim()}\n\n${page.slice(to)}`;
}
