import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const dequeuing = casesOf('dequeue', (write) => {
  write('whoever takes a task runs it, and nobody else does', ['dequeue'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start({ concurrency: 0 });
    const handle = await queue.enqueue(echo, 'a');
    await stage.time.breathe();
    assert.equal(await handle.state(), 'waiting');
    const task = await stage.time.settled(queue.dequeue());
    assert.deepEqual([task.id, task.name, task.queue], [handle.id, 'echo', queue.name]);
    await stage.time.settled(task.run());
    assert.equal(await stage.time.settled(handle.result()), 'a');
  });

  write('those who wait are served first come, first served', ['dequeue'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start({ concurrency: 0 });
    const takers = [queue.dequeue(), queue.dequeue()] as const;
    const first = await queue.enqueue(echo, 'a');
    const second = await queue.enqueue(echo, 'b');
    const tasks = await stage.time.settled(Promise.all(takers));
    assert.deepEqual(
      tasks.map(({ id }) => id),
      [first.id, second.id],
    );
    await stage.time.settled(Promise.all(tasks.map((task) => task.run())));
  });

  write('the signal gives up waiting, and no task is lost by it', ['dequeue'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start({ concurrency: 0 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const taken = queue.dequeue({ signal: controller.signal });
    assert.ok(await stage.time.isPending(taken));
    controller.abort(reason);
    await assert.rejects(taken, (error) => error === reason);
    const handle = await queue.enqueue(echo, 'a');
    const task = await stage.time.settled(queue.dequeue());
    assert.equal(task.id, handle.id);
    await stage.time.settled(task.run());
  });

  write('a signal that is aborted while a task is on its way loses none', ['dequeue'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start({ concurrency: 0 });
    const handle = await queue.enqueue(echo, 'a');
    const controller = new AbortController();
    const taken = queue.dequeue({ signal: controller.signal });
    await Promise.resolve();
    controller.abort(new Error('enough'));
    const outcome = await stage.time.settled(taken.catch(() => undefined));
    const task = outcome ?? (await stage.time.settled(queue.dequeue()));
    assert.equal(task.id, handle.id);
    await stage.time.settled(task.run());
    assert.equal(await handle.state(), 'completed');
  });

  write('a task that is to be retried can be taken again', ['dequeue'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment) } });
    const { queue } = await stage.start({ concurrency: 0 });
    const handle = await queue.enqueue(held.definition, 'a');
    const first = await stage.time.settled(queue.dequeue());
    const run = first.run();
    await stage.begun(held, 'a');
    held.fail('a', new Error('not yet'));
    await stage.time.settled(run);
    const again = queue.dequeue();
    await stage.time.advance(stage.moment * 2);
    const second = await stage.time.settled(again);
    assert.equal(second.id, handle.id);
    const secondRun = second.run();
    await stage.begun(held, 'a', 'a');
    held.finish('a');
    await stage.time.settled(secondRun);
    assert.equal(await stage.time.settled(handle.result()), 'result of a');
  });

  write('the signal of a run cancels the task', ['dequeue'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ concurrency: 0 });
    const handle = await queue.enqueue(held.definition, 'a');
    const controller = new AbortController();
    const task = await stage.time.settled(queue.dequeue());
    const run = task.run({ signal: controller.signal });
    await stage.begun(held, 'a');
    controller.abort(new Error('enough'));
    await stage.time.settled(run);
    await stage.inState(handle, 'cancelled');
  });

  write('while the queue is paused it waits', ['dequeue'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start({ concurrency: 0 });
    await queue.pause();
    await queue.enqueue(echo, 'a');
    const taken = queue.dequeue();
    assert.ok(await stage.time.isPending(taken));
    await queue.resume();
    await stage.time.settled((await stage.time.settled(taken)).run());
  });

  write('it is refused where the queue has workers of its own', ['dequeue'], async (stage) => {
    const { queue } = await stage.start({ concurrency: 1 });
    await stage.rejection(queue.dequeue(), 'ILLEGAL_STATE');
  });

  write('a close refuses those who wait', ['dequeue'], async (stage) => {
    const app = await stage.start({ concurrency: 0 });
    const taken = handled(app.queue.dequeue());
    await stage.time.breathe();
    await stage.close(app);
    await stage.rejection(taken, 'QUEUE_CLOSED');
    await stage.rejection(app.queue.dequeue(), 'QUEUE_CLOSED');
  });
});
