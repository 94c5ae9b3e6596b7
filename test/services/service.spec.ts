import { describe, expect, it } from 'vitest';
import { listens, whyMissing, type Service } from './service.js';

const nowhere: Service = {
  name: 'Nothing',
  variable: 'NOTHING_URL',
  defaultUrl: 'nothing://127.0.0.1:1',
  check: (url) => listens(url, 1),
};

describe('a service that tests need', () => {
  it('is there when its check resolves', async () => {
    expect(
      await whyMissing({ ...nowhere, check: () => Promise.resolve() }, nowhere.defaultUrl),
    ).toBeUndefined();
  });

  it('is missing, with a line that says how to provide it, when nothing listens', async () => {
    const line = await whyMissing(nowhere, nowhere.defaultUrl);
    expect(line).toMatch(
      /^No Nothing at nothing:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)\. Start one there \(docker compose up -d --wait\), or say in NOTHING_URL where it is\.$/,
    );
  });
});
