import { type Field, fields } from 'fttscope/kit';

/**
 * Documents whose parts have fields of their own, named by the path of elements to them: `reginfo.registration.contact.uri`.
 * What else stands in them has the names that all XML has.
 */
interface Shape {
  readonly attributes?: string;
  readonly elements?: Readonly<Record<string, Shape>>;
}

const TEXT: Shape = {};
const NOTE: Shape = { attributes: 'lang' };

const DOCUMENTS: Readonly<Record<string, Shape & { readonly label: string; readonly clause: string }>> = {
  reginfo: {
    label: 'Reginfo XML doc (RFC 3680)',
    clause: 'RFC 3680 §5',
    attributes: 'xmlns version state',
    elements: {
      registration: {
        attributes: 'aor id state',
        elements: {
          contact: {
            attributes: 'id state event duration-registered expires retry-after q callid cseq',
            elements: { uri: TEXT, 'display-name': NOTE, 'unknown-param': { attributes: 'name' } },
          },
        },
      },
    },
  },
  presence: {
    label: 'presence XML doc (RFC 3863)',
    clause: 'RFC 3863 §4.1',
    attributes: 'xmlns entity',
    elements: {
      tuple: {
        attributes: 'id',
        elements: {
          status: { elements: { basic: TEXT } },
          contact: { attributes: 'priority' },
          note: NOTE,
          timestamp: TEXT,
        },
      },
      note: NOTE,
    },
  },
  watcherinfo: {
    label: 'watcherinfo XML doc (RFC 3858)',
    clause: 'RFC 3858 §3',
    attributes: 'xmlns version state',
    elements: {
      'watcher-list': {
        attributes: 'resource package',
        elements: { watcher: { attributes: 'display-name status event expiration id duration-subscribed' } },
      },
    },
  },
};

/** An element with a field of its own, and what it may have in it, by name in lower case. */
export interface Element {
  /** Of its tag and of its text. */
  readonly field: Field;
  readonly attributes: ReadonlyMap<string, Field>;
  readonly elements: ReadonlyMap<string, Element>;
}

/** The fields of all documents, by path. */
export const DOCUMENT_FIELDS = fields(
  Object.fromEntries(
    Object.entries(DOCUMENTS).flatMap(([name, document]) => [
      [name, { name, label: document.label, type: 'protocol', clause: document.clause } as const],
      ...partsOf(name, document).map(
        (path) =>
          [path, { name: path, label: path.slice(path.lastIndexOf('.') + 1), type: 'string' } as const] as const,
      ),
    ]),
  ),
);

/** Paths of what stands in an element. */
function partsOf(path: string, { attributes = '', elements = {} }: Shape): string[] {
  const inner = Object.entries(elements).flatMap(([name, shape]) => [
    `${path}.${name}`,
    ...partsOf(`${path}.${name}`, shape),
  ]);
  return [...names(attributes).map((name) => `${path}.${name}`), ...inner];
}

function names(list: string): string[] {
  return list === '' ? [] : list.split(' ');
}

function element(path: string, { attributes = '', elements = {} }: Shape): Element {
  return {
    field: DOCUMENT_FIELDS[path],
    attributes: new Map(names(attributes).map((name) => [name, DOCUMENT_FIELDS[`${path}.${name}`]])),
    elements: new Map(Object.entries(elements).map(([name, shape]) => [name, element(`${path}.${name}`, shape)])),
  };
}

/** The known documents by the name of their root. */
export const ROOTS: ReadonlyMap<string, Element> = new Map(
  Object.entries(DOCUMENTS).map(([name, document]) => [name, element(name, document)]),
);
