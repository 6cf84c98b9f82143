import type { TcpStream } from '../stream/tcp.js';
import type { Connection } from '../tunnel/connection.js';
import { FlowState, type Scope } from './scope.js';

/** What hangs on a TCP flow. */
export class TcpState extends FlowState {
  constructor(
    readonly tcp: TcpStream,
    readonly connection: Connection,
    readonly scope: Scope,
  ) {
    super();
  }
}
