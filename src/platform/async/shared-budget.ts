/** An amount, such as bytes, that many may take parts of: bounded in all, and for each owner. */
export class SharedBudget {
  private taken = 0;
  private readonly takenByOwners = new Map<string, number>();

  constructor(
    private readonly total: number,
    private readonly share: number,
  ) {}

  /**
   * @param owner undefined for one who has no share, and is bounded by the total only
   * @returns gives the amount back; undefined if there is too little left, in all or of the owner's share
   */
  take(owner: string | undefined, amount: number): (() => void) | undefined {
    if (this.taken + amount > this.total || this.takenBy(owner) + amount > this.share) return undefined;
    this.add(owner, amount);
    return () => this.add(owner, -amount);
  }

  private takenBy(owner: string | undefined): number {
    return owner === undefined ? -Infinity : (this.takenByOwners.get(owner) ?? 0);
  }

  private add(owner: string | undefined, amount: number): void {
    this.taken += amount;
    if (owner === undefined) return;
    const left = this.takenBy(owner) + amount;
    if (left === 0) this.takenByOwners.delete(owner);
    else this.takenByOwners.set(owner, left);
  }
}
