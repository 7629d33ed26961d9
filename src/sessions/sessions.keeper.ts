import { Injectable } from '@nestjs/common';
import { ChangesKeeper } from '../platform/database/changes-keeper.js';
import { SessionsUpkeep } from './sessions.upkeep.js';

/** Folds what events changed into the sessions that are kept. Runs in every worker. */
@Injectable()
export class SessionsKeeper extends ChangesKeeper {
  constructor(upkeep: SessionsUpkeep) {
    super(upkeep);
  }
}
