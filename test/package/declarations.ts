import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A place in a declaration file. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Comments, strings and what is left between their ends; what is not code is taken out, its line breaks are kept. */
const notCode = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
const importPattern = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

/** The declaration files that users of a package's exports reach, with the package's own ones that those import. */
export class Declarations {
  private readonly texts = new Map<string, string>();

  /** @param exports the types of each export, by the name under which it is imported */
  constructor(
    private readonly directory: string,
    private readonly exports: ReadonlyMap<string, string>,
  ) {
    for (const types of exports.values()) this.read(join(directory, types));
  }

  get files(): readonly string[] {
    return [...this.texts.keys()].map((file) => relative(this.directory, file));
  }

  /** Where a word stands in the code. */
  placesOf(word: string): readonly Place[] {
    const pattern = new RegExp(`\\b${word}\\b`);
    return [...this.texts].flatMap(([file, text]) => {
      const code = text.replaceAll(notCode, (found) => found.replaceAll(/[^\n]/g, ' ')).split('\n');
      const lines = text.split('\n');
      return code.flatMap((line, index) =>
        pattern.test(line)
          ? [{ file: relative(this.directory, file), line: index + 1, text: lines[index]!.trim() }]
          : [],
      );
    });
  }

  private read(file: string): void {
    if (this.texts.has(file)) return;
    const text = readFileSync(file, 'utf8');
    this.texts.set(file, text);
    for (const [, name] of text.matchAll(importPattern)) {
      const own = this.exports.get(name!);
      if (own !== undefined) this.read(join(this.directory, own));
      else if (name!.startsWith('.')) this.read(join(dirname(file), name!.replace(/\.js$/, '.d.ts')));
    }
  }
}
