import { randomUUID } from 'node:crypto';
import { UnsupportedMediaTypeException } from '@nestjs/common';
import type { MulterModuleOptions } from '@nestjs/platform-express';
import { diskStorage } from 'multer';
import type { ShopConfig } from '../shop.config.js';
import { photosDirectory } from './photo-album.js';

const imageTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/avif'];

/** Uploads go to disk and not to memory: a hundred of them may wait for their turn. */
export function photoUploads(config: ShopConfig): MulterModuleOptions {
  return {
    storage: diskStorage({
      destination: photosDirectory(config),
      filename: (_request, _file, done) => done(null, randomUUID()),
    }),
    limits: { files: 1, fileSize: 20 * 1024 * 1024 },
    fileFilter: (_request, file, done) => {
      if (imageTypes.includes(file.mimetype)) return done(null, true);
      done(
        new UnsupportedMediaTypeException(`Send one of ${imageTypes.join(', ')}, not ${file.mimetype}.`),
        false,
      );
    },
  };
}
