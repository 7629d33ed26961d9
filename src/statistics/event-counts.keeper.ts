import { Injectable } from '@nestjs/common';
import { ChangesKeeper } from '../platform/database/changes-keeper.js';
import { EventCountsUpkeep } from './event-counts.upkeep.js';

/** Folds changes of counts into the running sums. Runs in every worker. */
@Injectable()
export class EventCountsKeeper extends ChangesKeeper {
  constructor(upkeep: EventCountsUpkeep) {
    super(upkeep);
  }
}
