import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { scenariosOf, type Nest } from './child.js';

/** What Nest and the library load only when it is there, or by a name that is made up at run time. */
const left = [/^@nestjs\/(microservices|websockets|platform-)/, /^class-(transformer|validator)/, /^@grpc\//];

/**
 * Puts a scenario and all it imports into one file, which starts in a third of the time: for those that are started by the
 * hundred. Gives the path of the file, which is the caller's own.
 *
 * @param apps where the scenario is
 */
export async function bundled(nest: Nest, scenario: string, apps = scenariosOf(nest)): Promise<string> {
  const directory = join(apps, 'bundled', `${scenario}-${randomUUID()}`);
  const input = {
    [scenario]: join(apps, `${scenario}.js`),
    // Found by its address, as a file beside the one that starts it.
    'store-thread': join(nest.house, 'dist/libs/sqlite/src/store-thread.js'),
  };
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: [...left, '@nestjs/schedule'],
    logLevel: 'silent',
  });
  await bundle.write({ dir: directory, format: 'esm', chunkFileNames: '[name].js' });
  await bundle.close();
  return join(directory, `${scenario}.js`);
}
