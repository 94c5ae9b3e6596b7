import { defineTask } from 'nestjs-nightshift';
import { z } from 'zod';

/** What there is to do, without a word about how: who enqueues it need not know who handles it. */
export const resizePhoto = defineTask('resize-photo', { payload: z.object({ id: z.uuid() }) });
