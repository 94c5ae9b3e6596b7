import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSync } from '@swc/core';

export const root = resolve(import.meta.dirname, '../..');

/** A test or a group whose title begins with IDs of behaviours. */
export interface TitledTest {
  readonly ids: readonly string[];
  /** Without the IDs. */
  readonly title: string;
  /** The titles of the groups it stands in, the outermost first. */
  readonly group: string;
  /** From the root of the project. */
  readonly file: string;
  readonly isGroup: boolean;
  /** Whether it, or a group it stands in, is skipped, left to do, or expected to fail: then it proves nothing. */
  readonly isIdle: boolean;
}

interface Group {
  readonly title: string;
  readonly isIdle: boolean;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

const groupNames = ['describe', 'suite'];
const testNames = ['it', 'test'];
const idleNames = ['skip', 'todo', 'fails', 'skipIf', 'runIf'];
const leadingIds = /^(?:[HSBPDCQ]\d+,? )+/;

/** Every titled test of every spec, in the order of files and lines. */
export function titledTests(): TitledTest[] {
  return ['libs', 'apps', 'test'].flatMap((folder) => specsIn(folder).flatMap(titledTestsOfFile));
}

/**
 * The titled tests of one spec. They are read from its source, so that no test has to run, and the title counts as it
 * is written: rows of `it.each` add no IDs to it.
 */
export function titledTestsIn(source: string, file: string): TitledTest[] {
  const found: TitledTest[] = [];
  visit(parseSync(source, { syntax: 'typescript', decorators: true }), [], (call) =>
    found.push({ ...call, file }),
  );
  return found;
}

function specsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.spec.ts'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .toSorted();
}

function titledTestsOfFile(file: string): TitledTest[] {
  return titledTestsIn(readFileSync(join(root, file), 'utf8'), file);
}

function visit(
  value: unknown,
  groups: readonly Group[],
  report: (test: Omit<TitledTest, 'file'>) => void,
): void {
  if (Array.isArray(value)) for (const element of value) visit(element, groups, report);
  if (!isRecord(value)) return;
  const call = testCall(value);
  const path = call?.isGroup ? [...groups, call] : groups;
  const [ids] = call?.title.match(leadingIds) ?? [];
  if (call !== undefined && ids !== undefined) {
    report({
      ids: ids.match(/\w+/g) ?? [],
      title: call.title.slice(ids.length),
      group: groups.map(({ title }) => title).join(', '),
      isGroup: call.isGroup,
      isIdle: call.isIdle || groups.some(({ isIdle }) => isIdle),
    });
  }
  for (const child of Object.values(value)) visit(child, path, report);
}

/** What `it('...')`, `describe.each(table)('...')` and the like say of themselves. */
function testCall(
  node: Readonly<Record<string, unknown>>,
): (Group & { readonly isGroup: boolean }) | undefined {
  if (node['type'] !== 'CallExpression') return undefined;
  const [title, ...rest] = (node['arguments'] as { expression: Node }[]).map(({ expression }) => expression);
  const [name, ...modifiers] = namesOf(node['callee'] as Node);
  const text = title === undefined ? undefined : textOf(title);
  if (name === undefined || text === undefined || ![...groupNames, ...testNames].includes(name))
    return undefined;
  const isIdle = [...modifiers, ...rest.flatMap(keysOf)].some((modifier) => idleNames.includes(modifier));
  return { title: text, isIdle, isGroup: groupNames.includes(name) };
}

/** `it.skip.each(table)` as `['it', 'skip', 'each']`; nothing for what is no such chain. */
function namesOf(node: Node): string[] {
  if (node.type === 'Identifier') return [String(node['value'])];
  if (node.type === 'CallExpression') return namesOf(node['callee'] as Node);
  if (node.type === 'TaggedTemplateExpression') return namesOf(node['tag'] as Node);
  if (node.type !== 'MemberExpression') return [];
  return [...namesOf(node['object'] as Node), ...namesOf(node['property'] as Node)];
}

/** The text of a string; of a template, with its expressions left out. */
function textOf(node: Node): string | undefined {
  if (node.type === 'StringLiteral') return String(node['value']);
  if (node.type !== 'TemplateLiteral') return undefined;
  return (node['quasis'] as { cooked: string }[]).map(({ cooked }) => cooked).join('…');
}

/** The names of an options object, as in `it('...', { skip: true }, () => {})`. */
function keysOf(node: Node): string[] {
  if (node.type !== 'ObjectExpression') return [];
  return (node['properties'] as { key?: { value?: unknown } }[]).map(({ key }) => String(key?.value));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
