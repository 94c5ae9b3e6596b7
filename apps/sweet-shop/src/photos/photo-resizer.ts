import { rename } from 'node:fs/promises';
import { TaskHandler, type PayloadOf, type TaskContext } from 'nestjs-nightshift';
import sharp from 'sharp';
import { PhotoAlbum } from './photo-album.js';
import { resizePhoto } from './resize-photo.js';

/** Makes small photos of large ones, after the request that brought them has been answered. */
@TaskHandler(resizePhoto)
export class PhotoResizer implements TaskHandler<typeof resizePhoto> {
  constructor(private readonly album: PhotoAlbum) {}

  /** A crash may cut it off anywhere, and then it is done again: a photo has its name only when it is whole. */
  async handle({ id }: PayloadOf<typeof resizePhoto>, context: TaskContext): Promise<void> {
    const unfinished = `${this.album.small(id)}.part`;
    const { width, height } = await sharp(this.album.original(id))
      .autoOrient()
      .resize({ width: 320, withoutEnlargement: true })
      .webp()
      .toFile(unfinished);
    context.progress(0.9, 'almost there');
    await rename(unfinished, this.album.small(id));
    context.log(`made ${width} x ${height} pixels`);
  }
}
