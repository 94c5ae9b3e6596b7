import { expect, it } from 'vitest';
import { RoomWaiters } from './room-waiters.js';

function setup(count: number) {
  const room = new RoomWaiters();
  const ended: string[] = [];
  const wait = (name: string, signal?: AbortSignal) =>
    room.wait(signal).then(
      () => ended.push(name),
      (error: unknown) => ended.push(`${name}: ${String(error)}`),
    );
  for (let i = 0; i < count; i += 1) void wait(String(i));
  return { room, ended, wait };
}

/** Everything that follows from promises has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('releases as many as there is room for, first come first served', async () => {
  const { room, ended } = setup(4);
  room.release(2);
  await settled();
  expect(ended).toEqual(['0', '1']);
  room.release(9);
  await settled();
  expect(ended).toEqual(['0', '1', '2', '3']);
});

it('keeps no room for those who come later', async () => {
  const { room, ended, wait } = setup(0);
  room.release(5);
  void wait('late');
  await settled();
  expect(ended).toEqual([]);
});

it('lets one go whose signal is aborted, and gives its turn to the next', async () => {
  const { room, ended, wait } = setup(0);
  const controller = new AbortController();
  void wait('gone', controller.signal);
  void wait('next');
  controller.abort('enough');
  room.release(1);
  await settled();
  expect(ended).toEqual(['gone: enough', 'next']);
});

it('rejects at once when the signal is aborted before', async () => {
  const { ended, wait } = setup(0);
  void wait('gone', AbortSignal.abort('enough'));
  await settled();
  expect(ended).toEqual(['gone: enough']);
});

it('rejects all at the end, and those who come after it', async () => {
  const { room, ended, wait } = setup(2);
  room.close('closed');
  void wait('late');
  await settled();
  expect(ended).toEqual(['0: closed', '1: closed', 'late: closed']);
});
