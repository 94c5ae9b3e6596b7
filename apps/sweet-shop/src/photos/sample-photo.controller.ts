import { Controller, Get, Header, StreamableFile } from '@nestjs/common';
import sharp from 'sharp';

/** A photo to try the shop with, for those who have none at hand. */
@Controller('sample-photo')
export class SamplePhotoController {
  @Get()
  @Header('Content-Disposition', 'attachment; filename="photo.jpg"')
  async photo(): Promise<StreamableFile> {
    const [width, height] = [2400, 1600];
    const grain = await sharp({
      create: {
        width,
        height,
        channels: 3,
        background: 'hotpink',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .tint('hotpink')
      .jpeg()
      .toBuffer();
    return new StreamableFile(grain, { type: 'image/jpeg' });
  }
}
