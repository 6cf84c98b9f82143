/** What is said between the capturing process and its parent. */

/** What the process shall do: its only argument, as JSON. */
export type ChildOrder =
  | { readonly do: 'list' }
  | {
      readonly do: 'capture';
      readonly device: string;
      /** In the language of libpcap; '' takes everything. */
      readonly filter: string;
      readonly snaplen: number;
      readonly bufferOctets: number;
      readonly promiscuous: boolean;
      /** Name and version of the program, for the header of the stream. */
      readonly application: string;
    };

/** An interface that can be captured from, as libpcap names it. */
export interface ListedInterface {
  readonly name: string;
  readonly description?: string;
}

/** What it says. `loads`: the package was there, so that the message is libpcap's. */
export type ChildWord =
  | { readonly kind: 'started' }
  | { readonly kind: 'interfaces'; readonly interfaces: readonly ListedInterface[] }
  | { readonly kind: 'failed'; readonly loads: boolean; readonly message: string };
