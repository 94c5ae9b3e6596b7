import { casesOf } from '../contract-case.js';

export const order = casesOf('order', (write) => {
  write('tasks run in the order in which they were enqueued, one at a time', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    for (const name of ['a', 'b', 'c']) await queue.enqueue(held.definition, name);
    await stage.begun(held, 'a');
    await stage.time.breathe();
    await stage.begun(held, 'a');
    held.finish('a');
    await stage.begun(held, 'a', 'b');
    held.finish('b');
    await stage.begun(held, 'a', 'b', 'c');
  });

  write('no more tasks run at once than concurrency says', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ concurrency: 3 });
    await app.queue.enqueueMany(held.definition, ['a', 'b', 'c', 'd']);
    await stage.begun(held, 'a', 'b', 'c');
    await stage.time.breathe();
    await stage.begun(held, 'a', 'b', 'c');
    held.finish('b');
    await stage.begun(held, 'a', 'b', 'c', 'd');
  });

  write('the smallest priority runs first, and the oldest among equals', ['priority'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.pause();
    for (const [name, priority] of [
      ['late', 5],
      ['first', -3],
      ['usual 1', 0],
      ['second', -1],
      ['usual 2', 0],
    ] as const)
      await queue.enqueue(held.definition, name, { priority });
    await queue.resume();
    const expected = ['first', 'second', 'usual 1', 'usual 2', 'late'];
    for (const [index, name] of expected.entries()) {
      await stage.begun(held, ...expected.slice(0, index + 1));
      held.finish(name);
    }
  });

  write('the priority of a definition holds where none is given', ['priority'], async (stage) => {
    const held = stage.hold('urgent', { priority: -1 });
    const usual = stage.hold('usual');
    const { queue } = await stage.start();
    await queue.pause();
    await queue.enqueue(usual.definition, 'b');
    await queue.enqueue(held.definition, 'a');
    await queue.resume();
    await stage.begun(held, 'a');
    await stage.begun(usual);
  });

  write('a task that falls due goes before those that wait', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.enqueue(held.definition, 'runs');
    await stage.begun(held, 'runs');
    await queue.enqueue(held.definition, 'waits');
    await queue.enqueue(held.definition, 'due later', { delay: stage.moment * 2 });
    await queue.enqueue(held.definition, 'due sooner', { delay: stage.moment });
    await stage.time.advance(stage.moment * 3);
    const expected = ['runs', 'due sooner', 'due later', 'waits'];
    for (const [index, name] of expected.entries()) {
      await stage.begun(held, ...expected.slice(0, index + 1));
      held.finish(name);
    }
  });

  write('a more urgent task goes before one that has fallen due', ['priority'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.enqueue(held.definition, 'runs');
    await stage.begun(held, 'runs');
    await queue.enqueue(held.definition, 'due', { delay: stage.moment });
    await queue.enqueue(held.definition, 'urgent', { priority: -1 });
    await stage.time.advance(stage.moment * 2);
    held.finish('runs');
    await stage.begun(held, 'runs', 'urgent');
    held.finish('urgent');
    await stage.begun(held, 'runs', 'urgent', 'due');
  });

  write('the order outlives the engine', ['shared', 'priority'], async (stage) => {
    const held = stage.hold();
    const before = await stage.start({ runs: false });
    await before.queue.enqueue(held.definition, 'b');
    await before.queue.enqueue(held.definition, 'c');
    await before.queue.enqueue(held.definition, 'a', { priority: -1 });
    await stage.close(before);
    await stage.start();
    for (const [name, ...begun] of [
      ['a', 'a'],
      ['b', 'a', 'b'],
      ['c', 'a', 'b', 'c'],
    ] as const) {
      await stage.begun(held, ...begun);
      held.finish(name);
    }
  });
});
