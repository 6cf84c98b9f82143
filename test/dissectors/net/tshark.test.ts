import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fieldText } from '../../../src/report/value.js';
import { CORPUS, corpusMissing, reference } from '../../support/corpus.js';
import { forRows } from '../../support/rows.js';

/** Public captures with something of each layer, a few octets to some hundred frames each. */
const CAPTURES = [
  'OISF__suricata-verify/tests/decode-sll2-01/input.pcap',
  'OISF__suricata-verify/tests/defrag/bug-6887-defrag-ipv6-tcp/frag-ip-tcp.pcap',
  'OISF__suricata-verify/tests/pppoe/input.pcap',
  'dotpcap__packetnet/Test/CaptureFiles/802.1ad_vlan_ipv4.pcap',
  'seladb__PcapPlusPlus/Tests/Packet++Test/PacketExamples/ipv6_opt_fragments.pcap',
  'seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/null_loopback.pcap',
  'the-tcpdump-group__tcpdump/tests/icmp-rfc8335.pcap',
  'the-tcpdump-group__tcpdump/tests/icmpv6.pcap',
  'the-tcpdump-group__tcpdump/tests/icmpv6-ns-nonce.pcap',
  'the-tcpdump-group__tcpdump/tests/icmpv6_opt24.pcap',
  'the-tcpdump-group__tcpdump/tests/ipv6-srh-insert-cksum.pcap',
  'zeek__zeek/testing/btest/Traces/chksums/ip6-route0-tcp-bad-chksum.pcap',
  'zeek__zeek/testing/btest/Traces/communityid/icmp6.pcap',
  'zeek__zeek/testing/btest/Traces/icmp/icmp6-mld-query.pcap',
  'zeek__zeek/testing/btest/Traces/icmp/icmp6-mldv1.pcap',
  'zeek__zeek/testing/btest/Traces/icmp/icmp6-nd-short-options.pcap',
  'zeek__zeek/testing/btest/Traces/icmp/icmp6-redirect-hdr-opt.pcap',
  'zeek__zeek/testing/btest/Traces/ipv4/fragmented-2.pcap',
  'zeek__zeek/testing/btest/Traces/ipv6-http-atomic-frag.pcap',
  'zeek__zeek/testing/btest/Traces/ipv6-mobility-dst-opts.pcap',
  'zeek__zeek/testing/btest/Traces/linuxsll-arp.pcap',
  'zeek__zeek/testing/btest/Traces/raw_packets.pcap',
];
const OURS = /^(eth|vlan|ieee8021ad|sll|null|pppoe|pppoed|ppp|arp|ip|ipv6|icmp|icmpv6)\./;

describe('Layers up to IP and ICMP, against tshark 4.0.17', { skip: corpusMissing('public') }, () => {
  for (const capture of CAPTURES)
    it(capture, async () => {
      const path = join(CORPUS, 'public', capture);
      const seen = new Map<number, Map<string, string[]>>();
      await forRows(path, { rows: 'outer' }, (row) => {
        const frame = new Map<string, string[]>();
        const t = row.dissection.tree;
        for (let i = 0; i < t.length; i++) {
          const { name } = t.field(i);
          const list = frame.get(name);
          if (list === undefined) frame.set(name, [fieldText(t, i)]);
          else list.push(fieldText(t, i));
        }
        seen.set(row.frame, frame);
      });
      let compared = 0;
      for (const frame of reference(`${path}.tshark.ndjson.gz`)) {
        const number = Number(frame['frame.number']);
        for (const [name, values] of Object.entries(frame)) {
          if (!OURS.test(name)) continue;
          assert.deepEqual(seen.get(number)?.get(name), values, `frame ${number}: ${name}`);
          compared++;
        }
      }
      assert.ok(compared > 0);
    });
});
