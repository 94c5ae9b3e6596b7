interface Address {
  readonly host?: string;
  readonly port?: number;
}

/** How options of ioredis, and its clients, say where a server is. */
interface Whereabouts extends Address {
  readonly url?: string;
  readonly path?: string;
  /** The name under which sentinels know it. */
  readonly name?: string;
  readonly sentinels?: readonly Address[];
}

/** What to call a server in messages, without whatever a password could be in. */
export function serverName(connection: unknown): string {
  if (typeof connection === 'string') return ofUrl(connection);
  const client = connection as {
    options?: Whereabouts;
    startupNodes?: readonly (string | number | Address)[];
  };
  if (client.startupNodes !== undefined)
    return `the cluster of ${client.startupNodes.map(ofNode).join(', ')}`;
  return ofOptions(client.options ?? (connection as Whereabouts));
}

function ofOptions({ url, path, name, sentinels, ...address }: Whereabouts): string {
  if (url !== undefined) return ofUrl(url);
  if (sentinels !== undefined && sentinels !== null)
    return `${name ?? 'the primary'} (sentinels ${sentinels.map((each) => ofAddress(each, 26_379)).join(', ')})`;
  return path ?? ofAddress(address, 6_379);
}

function ofNode(node: string | number | Address): string {
  if (typeof node === 'number') return ofAddress({ port: node }, node);
  if (typeof node === 'object') return ofAddress(node, 6_379);
  return node.includes('://') ? ofUrl(node) : node;
}

function ofAddress({ host, port }: Address, usualPort: number): string {
  return `${host ?? 'localhost'}:${port ?? usualPort}`;
}

function ofUrl(url: string): string {
  if (!URL.canParse(url)) return 'the given address';
  const { host, pathname } = new URL(url);
  return `${host || 'localhost'}${pathname === '/' ? '' : pathname}`;
}
