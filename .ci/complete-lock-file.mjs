/*
 * npm leaves optional packages of other platforms out of package-lock.json when it cannot look them up, and `npm ci`
 * then refuses the file. This adds what is missing: version, platform, and that it is optional. Run it after
 * `npm install`: node .ci/complete-lock-file.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const platforms = [
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'android',
  'openharmony',
  'netbsd',
  'openbsd',
  'sunos',
  'aix',
];
const processors = [
  'arm64',
  'x64',
  'ia32',
  'arm',
  'ppc64',
  's390x',
  'riscv64',
  'loong64',
  'mips64el',
  'wasm32',
];
const musl = ['musl', 'linuxmusl', 'musleabihf'];
const glibc = ['gnu', 'gnueabihf'];

const lock = JSON.parse(readFileSync(file, 'utf8'));

/** Whether a package in the folder `from` would find `name`, in its own node_modules or one further out. */
function isInstalled(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

/** What the name of a platform's package tells about it. */
function entryOf(name, version) {
  const words = name.split('/').at(-1).split('-');
  const os = words.includes('linuxmusl') ? 'linux' : words.find((word) => platforms.includes(word));
  const cpu = words.find((word) => processors.includes(word));
  const libc = words.some((word) => musl.includes(word))
    ? 'musl'
    : words.some((word) => glibc.includes(word))
      ? 'glibc'
      : undefined;
  return {
    version: version.replace(/^[\^~]/, ''),
    ...(cpu && { cpu: [cpu] }),
    dev: true,
    ...(os === 'linux' && libc && { libc: [libc] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}

for (const [path, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (!isInstalled(path, name)) lock.packages[`node_modules/${name}`] = entryOf(name, version);
  }
}
const sorted = Object.entries(lock.packages).toSorted(([one], [other]) => (one < other ? -1 : 1));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
