/** What a server says of itself: the settings that decide what it loses. `undefined` when it does not tell. */
export interface ServerSettings {
  readonly maxmemoryPolicy: string | undefined;
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  readonly save: string | undefined;
}

export interface ServerWarning {
  readonly code: string;
  readonly message: string;
}

/** The oldest Redis that has what BullMQ 6 and the scripts of this library need. */
export const oldestRedis = '7.0.0';

/** What would be lost, and which setting is to blame. */
export function warningsOf(server: string, settings: ServerSettings): readonly ServerWarning[] {
  const { maxmemoryPolicy, appendonly, appendfsync, save } = settings;
  const warn = (code: string, message: string): ServerWarning => ({
    code,
    message: `Redis at ${server}: ${message}`,
  });
  if (maxmemoryPolicy === undefined && appendonly === undefined)
    return [
      warn(
        'REDIS_UNCHECKED',
        'it does not tell its settings (CONFIG is not allowed), so they could not be checked. `maxmemory-policy` has to be ' +
          'noeviction, and `appendonly` yes, or tasks are lost.',
      ),
    ];
  const warnings: ServerWarning[] = [];
  if (maxmemoryPolicy !== undefined && maxmemoryPolicy !== 'noeviction')
    warnings.push(
      warn(
        'REDIS_MAY_EVICT',
        `\`maxmemory-policy\` is ${maxmemoryPolicy}: when its memory is full it throws away tasks, or parts of them, without a ` +
          'word. Set it to noeviction.',
      ),
    );
  const lost = persistenceLoss(appendonly, appendfsync, save);
  if (lost !== undefined) warnings.push(warn(...lost));
  return warnings;
}

function persistenceLoss(
  appendonly: string | undefined,
  appendfsync: string | undefined,
  save: string | undefined,
): [code: string, message: string] | undefined {
  if (appendonly === undefined) return undefined;
  if (appendonly === 'no' && save === '')
    return [
      'REDIS_NOT_PERSISTENT',
      '`appendonly` is no and `save` is empty: when it is restarted, all tasks are lost. Set appendonly to yes.',
    ];
  if (appendonly === 'no')
    return [
      'REDIS_SNAPSHOTS_ONLY',
      '`appendonly` is no: when it ends without being asked to, all that came after the last snapshot (`save`) is lost. Set ' +
        'appendonly to yes.',
    ];
  if (appendfsync === 'no')
    return [
      'REDIS_FSYNC_OFF',
      '`appendfsync` is no: when the machine fails, up to half a minute is lost. Set it to everysec (one second) or always ' +
        '(nothing).',
    ];
  return undefined;
}

/** What `CONFIG GET` gives: a list of names and values. */
export function toSettings(list: readonly string[]): ServerSettings {
  const value = (name: string): string | undefined => {
    const at = list.indexOf(name);
    return at === -1 ? undefined : list[at + 1];
  };
  return {
    maxmemoryPolicy: value('maxmemory-policy'),
    appendonly: value('appendonly'),
    appendfsync: value('appendfsync'),
    save: value('save'),
  };
}

export function isOlder(version: string, than: string): boolean {
  const [a = [], b = []] = [version, than].map((text) => text.split('.').map(Number));
  for (let i = 0; i < b.length; i += 1) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) < b[i]!;
  return false;
}
