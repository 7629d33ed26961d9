import { Module } from '@nestjs/common';
import { ScriptController } from './script.controller.js';
import { ScriptFile } from './script-file.js';

/** The script that web pages load to send events. For processes that serve the API. */
@Module({ controllers: [ScriptController], providers: [ScriptFile] })
export class ScriptModule {}
