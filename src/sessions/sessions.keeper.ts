import { Injectable } from '@nestjs/common';
import { ChangesKeeper } from '../platform/database/changes-keeper.js';
import { Database } from '../platform/database/database.js';
import { SessionsUpkeep } from './sessions.upkeep.js';

/** Milliseconds between two looks: the more of a session comes together, the less often its places in lists are moved. */
const INTERVAL = 2000;

/** Folds what events changed into the sessions that are kept. Runs in every worker. */
@Injectable()
export class SessionsKeeper extends ChangesKeeper {
  constructor(upkeep: SessionsUpkeep, database: Database) {
    super(upkeep, database, INTERVAL);
  }
}
