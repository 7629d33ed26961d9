import { Injectable } from '@nestjs/common';
import { ChangesKeeper } from '../database/changes-keeper.js';
import { Database } from '../database/database.js';
import { SessionsUpkeep } from './sessions.upkeep.js';

/** Folds what events changed into the sessions that are kept. Runs in every worker. */
@Injectable()
export class SessionsKeeper extends ChangesKeeper {
  constructor(upkeep: SessionsUpkeep, database: Database) {
    super(upkeep, database);
  }
}
