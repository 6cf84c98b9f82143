import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DOCUMENT_FIELDS } from '../../../dissectors/xml-documents.js';
import { tsharkMissing } from '../../support/tshark.js';
import { capture, differences, oneBody } from './wire.js';

const FIELDS = [
  'xml.tag',
  'xml.attribute',
  'xml.cdata',
  'xml.cdatasection',
  'xml.comment',
  'xml.unknown',
  'xml.doctype',
  'xml.dtdtag',
  'xml.xmlpi',
  'xml.xmlpi.xml',
  'xml.xmlpi.xml.version',
  'xml.xmlpi.xml.encoding',
  'xml.xmlpi.xml.standalone',
  'frame.protocols',
];

/** RFC 4119 §2.3, shortened. */
const PIDF_LO = `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"
   entity="pres:geotarget@example.com">
 <tuple id="sg89ae">
  <status>
   <gp:geopriv>
     <gp:location-info>
       <gml:location xmlns:gml="http://www.opengis.net/gml">
         <gml:Point gml:id="point1" srsName="epsg:4326">
           <gml:coordinates>37:46:30N 122:25:10W</gml:coordinates>
         </gml:Point>
       </gml:location>
     </gp:location-info>
   </gp:geopriv>
  </status>
  <timestamp>2003-06-22T20:57:29Z</timestamp>
 </tuple>
</presence>
`;

const DOCUMENTS = [
  PIDF_LO.replace('<presence', '<document').replace('/presence', '/document'),
  '<?xml version="1.0" standalone=\'yes\'?>\n<ims-3gpp version="1"><alternative-service><type>restoration</type>' +
    '<reason/><action><initial-registration/></action></alternative-service></ims-3gpp>',
  '<!-- first -->\n<!DOCTYPE items [ <!ENTITY a "b"> <!ELEMENT items (#PCDATA)> ]>\n<items>&a; &lt; <![CDATA[ <x> ]]> end </items>',
  '<!DOCTYPE items SYSTEM "items.dtd">\n<items a = "1"\n\tb=\'x>"y\' c=d ><entry uri="sip:a@example.com"/><e  /><f\n/></items >\n',
  'before <a>text</b> between <c> one <!-- c --> two </c\n> after',
  '<a><b>1</b></a></a><c:d xmlns:c="u"/>',
  '<e><f>never closed',
  '<a>\u00e4\u4e2d <b c="\u00e9"/></a>',
  '',
];

describe('XML', () => {
  test('documents have the tags, attributes and text that tshark finds', { skip: tsharkMissing }, async () => {
    const bodies = DOCUMENTS.map((octets) => ({ type: 'application/pidf+xml', octets }));
    assert.deepEqual(await differences(capture('xml.pcap', bodies), FIELDS), []);
  });

  test('parts of registration information, presence and watchers have fields of their own', {
    skip: tsharkMissing,
  }, async () => {
    const documents = [
      PIDF_LO,
      '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"><registration aor="sip:a@h" id="a7" state="active" x="y">' +
        '<contact id="76" state="active" event="registered" expires="600" q="0.8"><uri>sip:a@h:5060</uri>' +
        '<display-name xml:lang="en" lang="de">A</display-name><unknown-param name="+sip.instance">"&lt;x&gt;"</unknown-param>' +
        '<gr:pub-gruu xmlns:gr="g" uri="sip:g"><uri>other</uri></gr:pub-gruu></contact></registration></reginfo>',
      '<Presence Entity="e"><TUPLE ID="t"><Status><BASIC>closed</BASIC></Status><contact priority="0.8">tel:+1</contact></TUPLE>' +
        '<note>n</note><dm:person id="p"/></Presence>',
      '<watcherinfo version="0" state="full"><watcher-list resource="r" package="p"><watcher status="active" id="1" event="subscribe">' +
        'sip:x</watcher></watcher-list></watcherinfo>',
      '<other><reginfo version="1"><registration aor="q"/></reginfo></other>',
    ];
    const bodies = documents.map((octets) => ({ type: 'application/xml', octets }));
    const fields = [...FIELDS, ...Object.values(DOCUMENT_FIELDS).flatMap((f) => (f.type === 'string' ? [f.name] : []))];
    assert.deepEqual(await differences(capture('documents.pcap', bodies), fields), []);
    const { values } = await oneBody('application/reginfo+xml', documents[1]!);
    assert.deepEqual(values.get('reginfo.registration.contact.uri'), ['<uri>', 'sip:a@h:5060']);
    assert.deepEqual(values.get('reginfo.registration.contact.event'), ['registered']);
    assert.deepEqual(values.get('xml.tag'), ['<gr:pub-gruu xmlns:gr="g" uri="sip:g">', '<uri>']);
  });

  test('the tree nests as the elements do, and a tag covers its element', async () => {
    const { text, values } = await oneBody(
      'application/resource-lists+xml',
      '<a b="1">\n <c>text</c> <d e="2"/>\n</a>',
    );
    assert.deepEqual(text.slice(text.indexOf('eXtensible')).trimEnd().split('\n'), [
      'eXtensible Markup Language',
      '    <a',
      '        b="1">',
      '        <c>',
      '            text',
      '            </c>',
      '        <d',
      '            e="2"/>',
      '        </a>',
    ]);
    assert.deepEqual(values.get('xml.tag'), ['<a b="1">', '<c>', '<d e="2"/>']);
  });

  test('bodies of IMS that are XML are shown so, whatever their type', async () => {
    for (const type of [
      'application/reginfo+xml',
      'application/3gpp-ims+xml',
      'application/conference-info+xml',
      'application/dialog-info+xml',
      'application/watcherinfo+xml',
      'application/resource-lists+xml',
      'application/vnd.etsi.simservs+xml',
      'application/rlmi+xml',
      'application/vnd.example.unheard-of+xml',
    ]) {
      const { values, protocols } = await oneBody(type, '<?xml version="1.0"?><a b="c"/>');
      assert.deepEqual(protocols, ['raw', 'ip', 'udp', 'sip', 'xml'], type);
      assert.deepEqual(values.get('xml.attribute'), ['b="c"'], type);
    }
  });

  test('entities are not expanded', async () => {
    const bombs =
      '<!DOCTYPE l [ <!ENTITY a "ha"> <!ENTITY b "&a;&a;&a;"> <!ENTITY c SYSTEM "file:///etc/passwd"> ]><l>&b;&c;</l>';
    const { values } = await oneBody('application/pidf+xml', bombs);
    assert.deepEqual(values.get('xml.cdata'), ['&b;&c;']);
  });

  test('a byte order mark is no text', async () => {
    const { values } = await oneBody('application/pidf+xml', '\ufeff<a/>');
    assert.equal(values.get('xml.unknown'), undefined);
  });

  test('elements beyond the cap stand side by side, and the tree says so', async () => {
    const n = 3000;
    const { values, experts, text } = await oneBody(
      'application/pidf+xml',
      `${'<a>'.repeat(n)}${'</a>'.repeat(n)}<b/>`,
    );
    assert.equal(values.get('xml.tag')!.length, n + 1);
    assert.deepEqual(experts, ['Elements nest too deep; deeper ones stand side by side']);
    assert.match(text, /^ {4}<b\/>$/m);
  });

  test('what never ends is no XML, however often it begins', async () => {
    const pieces = ['<', '<!--', '<![CDATA[', '<?x ', '<!DOCTYPE a ', '<!DOCTYPE a [', "<a b='", '<a b=c ', '</a'];
    for (const piece of pieces) {
      const { experts, values } = await oneBody('application/pidf+xml', piece.repeat(60_000 / piece.length));
      assert.deepEqual([[...new Set(experts)], values.get('xml.tag')], [['Unrecognized text'], undefined], piece);
    }
  });

  test('what is no XML is passed over and noted', async () => {
    const { experts, values } = await oneBody('application/pidf+xml', '<a></a></a><x y="unclosed <b/>');
    assert.deepEqual(experts, ['Closing an unopened tag', 'Unrecognized text']);
    assert.deepEqual(values.get('xml.tag'), ['<a>', '<b/>']);
  });
});
