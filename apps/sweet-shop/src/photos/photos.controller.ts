import { createReadStream } from 'node:fs';
import {
  BadRequestException,
  Controller,
  Get,
  HttpCode,
  HttpStatus,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  Res,
  StreamableFile,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import type { Response } from 'express';
import { PhotoAlbum, type PhotoStatus } from './photo-album.js';
import { PhotoIntake } from './photo-intake.js';

@Controller('photos')
export class PhotosController {
  constructor(
    private readonly album: PhotoAlbum,
    private readonly intake: PhotoIntake,
  ) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @UseInterceptors(FileInterceptor('photo'))
  async upload(
    @UploadedFile() file: Express.Multer.File | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ id: string; status: string; small: string }> {
    if (file === undefined)
      throw new BadRequestException("Send an image in the form field 'photo': curl -F photo=@photo.jpg");
    const id = file.filename;
    await this.intake.accept(id);
    response.location(`/photos/${id}`);
    return { id, status: `/photos/${id}`, small: `/photos/${id}/small` };
  }

  @Get(':id')
  status(@Param('id', ParseUUIDPipe) id: string): Promise<PhotoStatus> {
    return this.album.status(id);
  }

  @Get(':id/small')
  async small(@Param('id', ParseUUIDPipe) id: string): Promise<StreamableFile> {
    const { state } = await this.album.status(id);
    if (state !== 'completed') throw new NotFoundException(`The photo is ${state}: see /photos/${id}`);
    return new StreamableFile(createReadStream(this.album.small(id)), { type: 'image/webp' });
  }
}
