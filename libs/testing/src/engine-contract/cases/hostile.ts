import assert from 'node:assert/strict';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

/** What goes wrong where text is put together with text. */
const hostileTexts: Readonly<Record<string, string>> = {
  quotes: `it's "quoted" \`thrice\``,
  sql: `'); DROP TABLE nightshift_tasks; --`,
  placeholders: '$1 ? :name @p0 {0} %s',
  wildcards: '%_*?[a-z]',
  controls: '\r\n\t\u001b[31m\u2028',
  emoji: '👩‍👩‍👧‍👦 ✓ 🌙',
  bidirectional: '\u202etxt.exe',
  long: 'x'.repeat(10_000),
  prototype: '__proto__',
  separators: 'a:b:c/../d\\e|f',
  spaces: '   ',
  json: '{"a":[1,2',
};

export const hostile = casesOf('hostile', (write) => {
  write('a payload that JSON cannot carry is refused, and nothing is accepted', ['search'], async (stage) => {
    const any = stage.define<unknown, void>('any', () => undefined);
    const { queue, engine } = await stage.start({ runs: false });
    for (const [what, payload] of Object.entries(hostilePayloads())) {
      const enqueued = (async () => queue.enqueue(any, payload))();
      const error = await stage.rejection(enqueued, 'INVALID_PAYLOAD');
      assert.ok(error.message.length < 10_000, `${what}: a message that can be read`);
    }
    assert.deepEqual((await engine.search({})).tasks, []);
  });

  write('a payload of names like any other comes back as it was', [], async (stage) => {
    const echo = stage.define<unknown, unknown>('echo', (value) => value);
    const { queue } = await stage.start();
    const payload = {
      ...hostileTexts,
      constructor: 1,
      toString: null,
      hasOwnProperty: [JSON.parse('{"then":"no promise"}')],
    };
    const handle = await queue.enqueue(echo, payload);
    assert.deepEqual(await stage.time.settled(handle.result()), payload);
  });

  write('a payload is a copy: what the caller does to it later is not seen', [], async (stage) => {
    const echo = stage.define<{ list: number[] }, unknown>('echo', (value) => value);
    const { queue } = await stage.start();
    const payload = { list: [1] };
    const enqueued = queue.enqueue(echo, payload);
    payload.list.push(2);
    assert.deepEqual(await stage.time.settled((await enqueued).result()), { list: [1] });
  });

  write('a payload of nearly 1 MiB is none too many', [], async (stage) => {
    const measure = stage.define<string, number>('measure', (text) => text.length);
    const { queue } = await stage.start();
    const handle = await queue.enqueue(measure, 'x'.repeat(1_000_000));
    assert.equal(await stage.time.settled(handle.result()), 1_000_000);
  });

  for (const [what, text] of Object.entries(hostileTexts)) {
    write(
      `names, tags and keys of ${what} are text like any other`,
      ['search', 'deduplicationKey', 'concurrencyKey'],
      async (stage) => {
        const echo = stage.define<string, string>('echo', (payload) => payload);
        const { queue, engine } = await stage.start();
        await queue.pause();
        const isName = text.trim() !== '';
        const options = {
          ...(isName && { name: text }),
          tags: [text, `${text}2`],
          metadata: { [text === '__proto__' ? 'proto' : text]: text },
          deduplicationKey: text,
          concurrencyKey: text,
        };
        const handle = await queue.enqueue(echo, text, options);
        assert.equal((await queue.enqueue(echo, text, options)).id, handle.id);
        const other = await queue.enqueue(echo, 'other', { deduplicationKey: `${text}2` });
        assert.notEqual(other.id, handle.id);
        const { tasks } = await engine.search({ tag: text });
        assert.deepEqual(
          tasks.map(({ id }) => id),
          [handle.id],
        );
        const record = tasks[0]!;
        assert.deepEqual([record.deduplicationKey, record.concurrencyKey], [text, text]);
        assert.deepEqual([...record.tags], options.tags);
        assert.deepEqual({ ...record.metadata }, options.metadata);
        if (isName) {
          assert.equal(record.name, text);
          assert.equal((await engine.search({ name: text })).tasks.length, 1);
        }
        assert.deepEqual((await engine.search({ error: text })).tasks, []);
        await queue.resume();
        assert.equal(await stage.time.settled(handle.result()), text);
      },
    );
  }

  write('queues and definitions of any name keep apart', [], async (stage) => {
    const names = Object.entries(hostileTexts).flatMap(([, text]) => (text.trim() === '' ? [] : [text]));
    const definitions = names.map((name) => stage.define<string, string>(name, (text) => `${name}: ${text}`));
    const app = await stage.start({ queues: names.map((name) => ({ name })) });
    for (const [index, name] of names.entries()) {
      const handle = await app.queueNamed(name).enqueue(definitions[index]!, 'x');
      assert.equal(await stage.time.settled(handle.result()), `${name}: x`);
    }
  });

  write(
    'metadata that JSON cannot carry is refused where it has to be kept',
    ['durable', 'search'],
    async (stage) => {
      const echo = stage.define<string, string>('echo', (text) => text);
      const { queue, engine } = await stage.start({ runs: false });
      for (const value of [1n, new Map(), () => 1, Number.NaN, '\ud800', 'x'.repeat(2_000_000)]) {
        const enqueued = queue.enqueue(echo, 'a', { metadata: { value } });
        const error = await stage.rejection(enqueued, 'INVALID_PAYLOAD');
        assert.match(error.message, /metadata/);
      }
      assert.deepEqual((await engine.search({})).tasks, []);
    },
  );

  for (const [what, text] of [
    ['NUL', 'before\u0000after'],
    ['half of a surrogate pair', 'half \ud83d'],
  ] as const) {
    write(
      `names, tags and keys with ${what}, which stores cannot keep, are refused`,
      ['search'],
      async (stage) => {
        const echo = stage.define<string, string>('echo', (payload) => payload);
        const { queue, engine } = await stage.start({ runs: false });
        for (const options of [
          { name: text },
          { tags: ['fine', text] },
          { deduplicationKey: text },
          { deduplicationKey: { key: text } },
          { concurrencyKey: text },
        ])
          await stage.rejection((async () => queue.enqueue(echo, 'a', options))(), 'INVALID_OPTIONS');
        assert.deepEqual((await engine.search({})).tasks, []);
        assert.throws(() => stage.define(text, () => undefined));
        await stage.rejection(stage.start({ queues: [{ name: text }] }), 'INVALID_OPTIONS');
      },
    );
  }

  write('a reason of any kind cancels', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.pause();
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const reason of [
      undefined,
      null,
      1n,
      cyclic,
      Symbol('x'),
      new Error('why'),
      '\ud800',
      'x'.repeat(100_000),
    ]) {
      const handle = await queue.enqueue(held.definition, 'a');
      const cancelled = handled(handle.result());
      assert.equal(await handle.cancel(reason), true);
      await stage.rejection(cancelled, 'TASK_CANCELLED');
    }
  });
});

class Order {
  readonly id = 7;
}

function hostilePayloads(): Readonly<Record<string, unknown>> {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  let deep: unknown = 'bottom';
  for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
  let wide: unknown = 'x'.repeat(1_000);
  for (let level = 0; level < 60; level += 1) wide = [wide, wide];
  return {
    '100 MB': 'x'.repeat(100 * 1024 * 1024),
    'many times the same': wide,
    'nested deeply': deep,
    'contains itself': cyclic,
    bigint: { amount: 1n },
    NaN: { amount: Number.NaN },
    infinity: Number.NEGATIVE_INFINITY,
    function: { callback: () => 1 },
    symbol: Symbol('x'),
    prototype: JSON.parse('{"__proto__":{"isAdmin":true}}') as unknown,
    'half a surrogate pair': { text: '\ud83d' },
    'half a surrogate pair as a name': { '\ud83d': 1 },
    date: new Date(0),
    map: new Map(),
    class: new Order(),
    buffer: Buffer.from('x'),
    'undefined in a list': [undefined],
    'a getter that throws': Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('hostile');
      },
    }),
    'a proxy that throws': new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('hostile');
        },
      },
    ),
    toJSON: { toJSON: () => 'something else' },
  };
}
