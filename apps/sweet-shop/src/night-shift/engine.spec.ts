import { describe, expect, it } from 'vitest';
import { ShopConfig } from '../shop.config.js';
import { chooseEngine } from './engine.js';

const choose = (env: NodeJS.ProcessEnv): unknown => chooseEngine(new ShopConfig(env));

describe('chooseEngine()', () => {
  it('keeps tasks in memory when nothing is said', () => {
    expect(choose({})).toBeUndefined();
    expect(choose({ REDIS_URL: '' })).toBeUndefined();
  });

  it.each(['NIGHTSHIFT_FILE', 'REDIS_URL', 'DATABASE_URL'])('keeps tasks where %s says', (variable) => {
    expect(choose({ [variable]: 'redis://127.0.0.1:1', NIGHTSHIFT_ROLE: 'web' })).toBeDefined();
  });

  it('refuses two places at once', () => {
    const env = { NIGHTSHIFT_FILE: 'shop.db', DATABASE_URL: 'postgres://127.0.0.1' };
    expect(() => choose(env)).toThrow('choose one of NIGHTSHIFT_FILE, DATABASE_URL.');
  });

  it.each(['web', 'worker'])('refuses to be a %s whose tasks no other process sees', (role) => {
    expect(() => choose({ NIGHTSHIFT_ROLE: role })).toThrow(`NIGHTSHIFT_ROLE=${role} needs tasks`);
  });

  it('refuses a role that there is not', () => {
    expect(() => choose({ NIGHTSHIFT_ROLE: 'werker' })).toThrow('one of all, web, worker, but is');
  });
});
