/** What the specs use of Segment's older client, which has no types. */
declare module 'analytics-node' {
  type Call = (event: object, done?: () => void) => unknown;

  export default class Analytics {
    constructor(writeKey: string, options: { host: string; errorHandler: (error: Error) => void });
    readonly track: Call;
    readonly page: Call;
    readonly identify: Call;
    flush(): Promise<unknown>;
  }
}
