import { expect, it } from 'vitest';
import { Child, onEachNest } from './child.js';

onEachNest('Nest $major', (nest) => {
  it('is what both the application and the library load', async () => {
    await using child = new Child(nest, 'nest-version');
    expect(await child.end).toEqual({ code: 0, signal: null });
    const versions = child.lines.filter((line) => /^(app|library) /.test(line));
    expect(versions).toHaveLength(8);
    for (const line of versions) expect(line).toMatch(new RegExp(` ${nest.major}\\.\\d+\\.\\d+$`));
  });

  it('runs an application that is compiled to CommonJS', async () => {
    await using child = new Child(nest, 'commonjs.cjs');
    expect(await child.line('listening on ')).toMatch(/ as CommonJS$/);
    await child.line('counted');
    await child.line('order done');
    child.kill('SIGTERM');
    expect(await child.end).toEqual({ code: 0, signal: null });
  });
});
