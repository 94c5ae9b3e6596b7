import { TaskHandler, type PayloadOf } from 'nestjs-nightshift';
import sharp from 'sharp';
import { PhotoAlbum } from './photo-album.js';
import { resizePhoto } from './resize-photo.js';

/** Makes small photos of large ones, after the request that brought them has been answered. */
@TaskHandler(resizePhoto)
export class PhotoResizer implements TaskHandler<typeof resizePhoto> {
  constructor(private readonly album: PhotoAlbum) {}

  async handle({ id }: PayloadOf<typeof resizePhoto>): Promise<void> {
    await sharp(this.album.original(id))
      .autoOrient()
      .resize({ width: 320, withoutEnlargement: true })
      .webp()
      .toFile(this.album.small(id));
  }
}
