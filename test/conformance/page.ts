import { basename } from 'node:path';
import type { Behaviour, Difference } from './behaviour.js';
import type { Family } from './families.js';
import type { TitledTest } from './titles.js';

type Standing = Difference['kind'] | 'mirrored';

const standings: Readonly<Record<Standing, string>> = {
  mirrored: 'Mirrored',
  beyond: 'Beyond',
  differs: 'Differs',
  notApplicable: 'Not applicable',
};

const intro = `# Conformance with .NET

<!-- Made by test/conformance. Change the specs' titles or the reasons there, then write it anew as said below. -->

Nightshift follows .NET's Generic Host, \`BackgroundService\`, \`PeriodicTimer\`, DI scopes, channels and the queued hosted service of its documentation. This page takes their behaviours one by one, as they are in .NET 11, and says for each where we stand:

- **Mirrored** (nothing stands before the tests): we do the same.
- **Beyond**: we do the same and more.
- **Differs**: we do something else on purpose.
- **Not applicable**: JavaScript or Nest has nothing that it could be a rule of.

The proof is a test whose title begins with the ID. The page is made from those titles and from the reasons in [test/conformance](../test/conformance); \`npm run docs:conformance\` writes it. A test fails when a behaviour has neither a proof nor a reason, when a title has an ID that does not exist, when a test with an ID is skipped, or when this page is out of date.`;

/** The page about these families, as Markdown. */
export function renderPage(families: readonly Family[], tests: readonly TitledTest[]): string {
  const chapters = families.map((family) => chapter(family, tests));
  return `${[intro, summary(families), ...chapters].join('\n\n')}\n`;
}

export function standingOf({ difference }: Behaviour): Standing {
  return difference?.kind ?? 'mirrored';
}

function summary(families: readonly Family[]): string {
  const rows = families.map(({ letter, title, size, behaviours }) => [
    `[${title}](#${anchorOf(title)})`,
    `${letter}1 to ${letter}${size}`,
    ...countsOf(behaviours),
  ]);
  const total = ['all', '', ...countsOf(families.flatMap(({ behaviours }) => behaviours))];
  return table(['', 'IDs', ...Object.values(standings)], [...rows, total]);
}

function countsOf(behaviours: readonly Behaviour[]): string[] {
  const kinds = Object.keys(standings) as Standing[];
  return kinds.map((kind) => String(behaviours.filter((behaviour) => standingOf(behaviour) === kind).length));
}

function chapter({ letter, title, behaviours }: Family, tests: readonly TitledTest[]): string {
  const numberOf = ({ id }: Behaviour): number => Number(id.slice(letter.length));
  const rows = behaviours
    .toSorted((a, b) => numberOf(a) - numberOf(b))
    .map((behaviour) => [
      behaviour.id,
      escaped(behaviour.behaviour),
      here(
        behaviour,
        tests.filter(({ ids }) => ids.includes(behaviour.id)),
      ),
    ]);
  return `## ${title}\n\n${table(['ID', '.NET', 'here'], rows)}`;
}

function here({ difference }: Behaviour, tests: readonly TitledTest[]): string {
  const places = new Map<string, string[]>();
  for (const { file, group, title } of tests) {
    const place = `[${basename(file)}](../${file}) _${textOf(group)}:_`;
    places.set(place, [...(places.get(place) ?? []), textOf(title)]);
  }
  const proofs = [...places].map(([place, titles]) => `${place} ${titles.join('; ')}`);
  return [...(difference === undefined ? [] : [reasonOf(difference)]), ...proofs].join('<br>');
}

function reasonOf({ kind, reason, decision }: Difference): string {
  const record =
    decision === undefined ? '' : ` ([decision ${Number.parseInt(decision)}](decisions/${decision}.md))`;
  return `**${standings[kind]}.** ${escaped(reason)}${record}`;
}

/** Not padded: one long title would otherwise change every row. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return ['<!-- prettier-ignore -->', ...lines].join('\n');
}

/** A title as it is read, with dots for what `it.each` fills in. */
function textOf(title: string): string {
  return escaped(title.replaceAll(/%[a-z]|\$[\w.]+/gi, '…'));
}

function escaped(text: string): string {
  return text.replaceAll(/[|*[\]]/g, String.raw`\$&`).replaceAll('<', '&lt;');
}

function anchorOf(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-');
}
