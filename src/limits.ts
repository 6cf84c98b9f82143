/**
 * Every cap of what is kept from one packet to the next, and of what a report lists. Reaching one is shown, never silent:
 * {@link ReachedLimits} counts it. Caps within one message stand where that is read, and those of what a page prints where
 * that is written; what they leave out is told there. Stores of what was worked out before have none here: what makes room
 * in them is worked out again.
 */
export const LIMITS = {
  /** Octets of a frame; larger lengths in a file are damage. Wireshark's own maximum for most link types. */
  frameOctets: 262_144,
  /** Octets of a pcapng block that is understood; others are passed over whatever their length. */
  blockOctets: 16 << 20,
  /** Interfaces of a capture file. */
  captureInterfaces: 65_536,
  /** Enterprises whose Custom Blocks in a capture file are told apart. */
  customBlocks: 64,
  /** Section comments of a capture file. */
  captureComments: 256,
  /** Octets of TLS key logs collected from Decryption Secrets Blocks before reading. */
  secretOctets: 256 << 20,
  /** Octets of decompressed or piped input that are kept for reading frames again. */
  spoolOctets: 16 * 1024 ** 3,
  /** Octets of a chunk of frames that the engine works on at a time. Small, so that its objects die young. */
  chunkOctets: 1 << 18,
  /** Frames of a chunk. */
  chunkFrames: 8192,
  /** Addresses that the lists of the terminal UI show as text; further ones are `…`. */
  viewerAddresses: 1 << 20,
  /** Names, numbers and addresses that `extract --redact` tells apart; those that come later share pseudonyms. */
  pseudonyms: 1 << 19,
  /** Packets with parts of messages that `extract --redact` keeps until the messages are whole. */
  redactedWaiting: 1024,
  /** Octets of a followed stream that screens show, and that `-z follow` prints: it keeps them as they are, without lines. */
  followedOctets: 16 << 20,
  printedOctets: 64 << 20,
  /** Flows (TCP connections and UDP conversations) followed at a time. */
  flows: 1 << 19,
  /** Octets that flows and tunnels may hold together, by estimate; those that were idle longest make room. */
  heldOctets: 192 << 20,
  /** Tunnels that are listed in the end. */
  tunnels: 3 << 13,
  /** Octets of any other file that is read as a whole: a key log, a scenario, a certificate, a recording, an earlier report. */
  fileOctets: 256 << 20,
  /** Octets of the text or file that `decode` takes. */
  pastedOctets: 16 << 20,
  /** Octets that wait for a hole to be filled, per direction and in all. */
  pendingOctets: 4 << 20,
  pendingOctetsTotal: 96 << 20,
  /** Segments of a TCP direction remembered until they are acknowledged, as many as Wireshark remembers. */
  unackedSegments: 10_000,
  /** IP datagrams being reassembled; octets and parts of one (RFC 791 §3.2: units of eight); octets that all may cost. */
  fragmentedDatagrams: 4096,
  datagramOctets: 65_535,
  datagramParts: 8192,
  fragmentOctets: 32 << 20,
  /** Lines of a session description that are read. */
  sdpLines: 1024,
  /** Octets of one message of any other stream protocol. */
  messageOctets: 4 << 20,
  /**
   * HTTP/2: octets of a table of headers that were sent, and of a header block; what the fields of a block may come to, each of
   * which may take one octet of it; bodies of a direction that go on at a time, which have {@link LIMITS.messageOctets} together.
   */
  headerTableOctets: 64 << 10,
  headerBlockOctets: 256 << 10,
  headerListOctets: 256 << 10,
  httpStreams: 256,
  /** Octets of a body that was compressed. */
  unpackedOctets: 4 << 20,
  /** Octets of a direction that are looked at before it is given up to find out what it carries. */
  undecidedOctets: 64 << 10,
  /** Nodes of the tree of one packet, and its expert items; how deep layers nest. */
  treeNodes: 100_000,
  layers: 256,
  /** Octets of a TLS record after its header. RFC 5246 §6.2.3. */
  tlsRecordOctets: 16_384 + 2048,
  /** Places in octets of a TLS stream that are kept in mind as possible starts of a record, where framing was lost. */
  recordStarts: 64,
  /** Octets of handshake messages kept while one is incomplete: TLS, DTLS, QUIC. RFC 9000 §7.5 asks for 4096 at least. */
  handshakeOctets: 256 << 10,
  /** Alerts, and places where decryption went on, that are listed of a TLS session and direction. */
  tlsAlerts: 64,
  /** Gaps of a tunnel that are told one by one. */
  tunnelGaps: 64,
  /**
   * TLS sessions that later ones may take up, by ids and tickets, of which servers give two with each handshake; and
   * connections whose later files may lack a handshake.
   */
  tlsSessions: 1 << 16,
  /** Record numbers tried when decryption goes on after a gap or joins late. */
  recordSearch: 65_536,
  /** Tags tried for one record after a gap, beside those that the gap asks for. */
  tagTrials: 512,
  /** Of those that the gap asks for, tags tried at one frame. The records that follow go on with the others. */
  tagTrialsAtOnce: 8192,
  /** KeyUpdates that are looked for behind a gap, or before the start of a capture. */
  hiddenKeyUpdates: 2,
  /** Joining late: key log lines of a label that are tried, and records of a direction they are tried on. */
  lateJoinLines: 512,
  lateJoinRecords: 8,
  /**
   * What joining late may cost, in blocks of keystream: a direction, and all of a run; at once, and how much more may be
   * searched with each frame that follows.
   */
  lateJoinBlocks: 256 * 65_536,
  lateJoinBlocksTotal: 1024 * 65_536,
  lateJoinBlocksAtOnce: 96 * 65_536,
  lateJoinBlocksPerFrame: 8192,
  /** Lines of key logs, and lines that are none of which the reason is kept. */
  keyLogLines: 2_000_000,
  badKeyLogLines: 1000,
  /**
   * Questions that wait for their answers, addresses that the DNS gave or ARP told of, and endpoints that session
   * descriptions announce, per tunnel; and outside of tunnels, where the oldest make room.
   */
  transactions: 4096,
  /** Call-IDs and directions whose last SIP message is remembered; RTP sources of a conversation whose numbers go on. */
  sipDialogs: 16_384,
  rtpSources: 256,
  /** Connection IDs by which packets are known to belong to a QUIC connection. */
  quicIds: 16,
  /** Parts of messages of SCTP that wait for others. */
  sctpParts: 1024,
  /** Short messages of which parts are missing. */
  smsWaiting: 64,
  /** What a report tells: exchanges and transactions of one client or dialog, dialogs, media streams, findings. */
  exchanges: 4096,
  /** Answers of SIP that wait for what they answer. */
  earlyAnswers: 64,
  dialogs: 1 << 16,
  /** Addresses to which a direction of a tunnel was told how large packets may be; the oldest limit makes room. */
  pathLimits: 64,
  /** Destinations inside a tunnel of which ICMP says that packets do not get there, and those that SIP is to connect to. */
  unreached: 256,
  /** Calls and media streams that a report keeps at hand, however long ago they ended. */
  keptCalls: 1024,
  mediaStreams: 1 << 16,
  findings: 10_000,
  /** Messages of one call, and stalls of one tunnel, that a report lists; of further stalls it keeps the longest. */
  callMessages: 500,
  stalls: 256,
  /** Of a call: dialogs, transfers and others of a kind, of session descriptions the newest; places where media may go. */
  callParts: 64,
  callPlaces: 1024,
  /**
   * Media of a session description, ports of one of them (`m=audio 49170/2`), calls that one address of media was announced
   * in, and keys that were pressed in a stream.
   */
  sessionMedia: 32,
  mediaPorts: 8,
  mediaCalls: 512,
  digits: 256,
  /** Messages of one exchange of DHCP, of router discovery, of a MESSAGE or a subscription. */
  exchangeMessages: 256,
  /** Prefixes, routers, probed addresses, and messages to be discarded, of a tunnel. */
  neighbours: 256,
  /** Public identities of a user, and registrations of one of them. */
  identities: 32,
  /** SPIs of ESP in a tunnel, and in the security agreements of a registration. */
  associations: 1024,
  /** Security associations of ESP whose keys registrations tell, of a run; the oldest make room. */
  espAssociations: 4096,
  /** Addresses that packets bear on one side of a tunnel, and what its UE tried beside it. */
  tunnelAddresses: 64,
  tunnelAttempts: 64,
  /** Addresses that answer one question of the DNS outside of tunnels. */
  questionAddresses: 16,
  /** Holes of a direction of a connection that wait for their octets, to say where those were lost. */
  holes: 64,
  /** Tunnels whose segments are compared between captures. */
  comparedTunnels: 1024,
  /** Places at which the clocks of the files are known to have been set. */
  clockSteps: 64,
  /** The screens: entries of a folder that a dialog lists, and ways to go on with a path. */
  folderEntries: 5000,
  pathCompletions: 200,
  /** Live: tunnels that an EFTF holds, in all and from one address (a NAT has many UEs behind it). */
  liveTunnels: 4096,
  liveTunnelsPerAddress: 4096,
  /** Connections of an EFTF whose handshake goes on, and how long that may take. The oldest makes room. */
  liveHandshakes: 1024,
  liveHandshakeMs: 10_000,
  /** Octets that wait for a slow reader; packets beyond are dropped. How long it may take nothing, or send half an envelope. */
  liveQueueOctets: 512 << 10,
  liveStallMs: 30_000,
  /**
   * Octets of a run (`-w`) that wait for the reader of a pipe; packets beyond are left out, and that is told. How long, at the
   * end, it may take nothing.
   */
  livePipeOctets: 16 << 20,
  livePipeMs: 5000,
  /** How long a tunnel may be silent: as long as RFC 5382 REQ-5 wants a NAT to let TCP live. */
  liveIdleMs: 7_440_000,
  /** Steps of a scenario, and lines of what happened that are kept for expectations and on the screens. */
  scenarioSteps: 10_000,
  liveLines: 10_000,
  /** DHCP leases of a UE at a time. Further ones are refused, and the EFTF says so. */
  leasesPerTunnel: 8,
  /** An inner host: IP datagrams in parts with their octets, and destinations whose path MTU is remembered. */
  hostFragmented: 64,
  hostFragmentOctets: 1 << 20,
  hostPaths: 256,
  /** Its TCP: connections (the one that was silent longest makes room), of each octets that wait to be sent, and segments
   * that came too early. */
  tcpConnections: 8192,
  tcpSendOctets: 1 << 20,
  tcpEarlySegments: 128,
  /** What a UE takes of routers: addresses, routers (two at least, RFC 4861 §6.3.4), DNS servers. */
  hostAddresses: 16,
  hostRouters: 4,
  hostServers: 8,
  /** Addresses behind a device that an EFTF learns where its router is none of ours. */
  learntAddresses: 1 << 16,
  /** SIP of an end: transactions, calls of a user agent (486 beyond), and those who ring for one of them; challenges that the
   * lab registrar keeps. */
  sipTransactions: 20_000,
  sipCalls: 1000,
  sipForks: 64,
  sipNonces: 50_000,
  /** Octets of TLS key logs that each further file of a ring begins with; the oldest lines are left out, and that is told. */
  ringKeyOctets: 4 << 20,
  /** Of a filter that compares field with field: values of one with values of the other, in one row. */
  filterPairs: 1 << 22,
  /** Tunnels that an EFTF lists on the screens. */
  listedTunnels: 200,
  /** How long the answer to a close_notify is waited for. */
  liveReleaseMs: 2000,
} as const;

/** The name of a limit: by it reaching one is counted, and said. */
export type LimitName = keyof typeof LIMITS;

/** A cap that was reached. */
export interface LimitReached {
  readonly name: LimitName;
  readonly cap: number;
  /** How often, or what did not fit. */
  readonly hit: number;
}

/** Counts how often each cap was reached. */
export class ReachedLimits {
  private readonly hits = new Map<LimitName, number>();

  /** A cap was reached `times` times: something is given up or left out. */
  capped(name: LimitName, times = 1): void {
    this.hits.set(name, (this.hits.get(name) ?? 0) + times);
  }

  /** The caps that were reached, by name. */
  get limits(): LimitReached[] {
    const out = [...this.hits].map(([name, hit]) => ({ name, cap: LIMITS[name] as number, hit }));
    return out.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
