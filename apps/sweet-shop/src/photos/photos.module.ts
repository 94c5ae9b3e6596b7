import { Module } from '@nestjs/common';
import { MulterModule } from '@nestjs/platform-express';
import { ShopConfig } from '../shop.config.js';
import { PhotoAlbum } from './photo-album.js';
import { PhotoIntake } from './photo-intake.js';
import { PhotoResizer } from './photo-resizer.js';
import { photoUploads } from './photo-uploads.js';
import { PhotosController } from './photos.controller.js';
import { SamplePhotoController } from './sample-photo.controller.js';

@Module({
  imports: [MulterModule.registerAsync({ inject: [ShopConfig], useFactory: photoUploads })],
  controllers: [PhotosController, SamplePhotoController],
  providers: [PhotoAlbum, PhotoIntake, PhotoResizer],
})
export class PhotosModule {}
