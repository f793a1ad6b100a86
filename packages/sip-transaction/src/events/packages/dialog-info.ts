/** The dialogs of a user, for lamps and pick-up: the package `dialog` of RFC 4235. */
import { eventEntriesMax } from '../../limits'
import type { EventPackage } from '../event-package'
import { childOf, childrenOf, numberOf, readXml, textOf, type XmlElement } from '../xml/read'
import { xml, xmlDocument, xmlOf } from '../xml/write'

/** The dialogs of one user. */
export interface DialogInfo {
  readonly entity: string
  /** As it came; the notifier's own count when it is written. */
  readonly version?: number | undefined
  /** `partial`: only the dialogs that have changed. */
  readonly kind: 'full' | 'partial'
  readonly dialogs: readonly DialogEntry[]
}

/** One of them (RFC 4235 §4.1). */
export interface DialogEntry {
  readonly id: string
  readonly state: 'trying' | 'proceeding' | 'early' | 'confirmed' | 'terminated'
  /** Why it came to that: `cancelled`, `rejected`, `replaced`, `local-bye`, `remote-bye`, `error`, `timeout`. */
  readonly event?: string | undefined
  /** The status that came with it. */
  readonly code?: number | undefined
  readonly direction?: 'initiator' | 'recipient' | undefined
  readonly callId?: string | undefined
  readonly localTag?: string | undefined
  readonly remoteTag?: string | undefined
  readonly durationSeconds?: number | undefined
  readonly local?: DialogParty | undefined
  readonly remote?: DialogParty | undefined
}

/** One end of it. */
export interface DialogParty {
  readonly identity?: string | undefined
  readonly displayName?: string | undefined
  readonly target?: string | undefined
}

const dialogInfo = 'urn:ietf:params:xml:ns:dialog-info'
const states: ReadonlySet<string> = new Set(['trying', 'proceeding', 'early', 'confirmed', 'terminated'])

/** The package `dialog`. */
export const dialogPackage: EventPackage<DialogInfo> = {
  name: 'dialog',
  contentType: 'application/dialog-info+xml',
  expiresSeconds: 3600,
  forks: 'many',
  read: (body) => {
    const result = readXml(body)
    if (!result.ok) return result
    const { root } = result
    const entity = root.attributes.get('entity')
    if (root.name !== 'dialog-info' || root.namespace !== dialogInfo) return { ok: false, reason: 'no dialog-info' }
    const version = numberOf(root.attributes.get('version'))
    if (entity === undefined || version === undefined) return { ok: false, reason: 'no entity or version' }
    const kind = root.attributes.get('state') === 'partial' ? 'partial' : 'full'
    const dialogs: DialogEntry[] = []
    for (const element of childrenOf(root, 'dialog')) {
      const entry = readEntry(element)
      if (entry === undefined) return { ok: false, reason: 'a dialog without id or state' }
      dialogs.push(entry)
    }
    return { ok: true, state: { entity, version, kind, dialogs } }
  },
  write: ({ entity, kind, dialogs }, version) =>
    xmlDocument(xml('dialog-info', { xmlns: dialogInfo, version, state: kind, entity }, dialogs.map(writeEntry))),
  merge: (known, news) => {
    if (news.kind === 'full') return news
    if (known?.version === undefined || news.version === undefined) return undefined
    if (news.version <= known.version) return known
    if (news.version !== known.version + 1) return undefined
    const byId = new Map(known.dialogs.map((entry) => [entry.id, entry]))
    for (const entry of news.dialogs) {
      if (entry.state === 'terminated') byId.delete(entry.id)
      else byId.set(entry.id, entry)
    }
    if (byId.size > eventEntriesMax) return undefined
    return { entity: news.entity, version: news.version, kind: 'full', dialogs: [...byId.values()] }
  },
}

function readEntry(element: XmlElement): DialogEntry | undefined {
  const { attributes } = element
  const id = attributes.get('id')
  const state = childOf(element, 'state')
  const word = state?.text.trim() ?? ''
  if (id === undefined || !states.has(word)) return undefined
  const direction = attributes.get('direction')
  return {
    id,
    state: word as DialogEntry['state'],
    event: state?.attributes.get('event'),
    code: numberOf(state?.attributes.get('code')),
    direction: direction === 'initiator' || direction === 'recipient' ? direction : undefined,
    callId: attributes.get('call-id'),
    localTag: attributes.get('local-tag'),
    remoteTag: attributes.get('remote-tag'),
    durationSeconds: numberOf(textOf(element, 'duration')),
    local: readParty(childOf(element, 'local')),
    remote: readParty(childOf(element, 'remote')),
  }
}

function readParty(element: XmlElement | undefined): DialogParty | undefined {
  if (element === undefined) return undefined
  const identity = childOf(element, 'identity')
  return {
    identity: identity?.text.trim(),
    displayName: identity?.attributes.get('display'),
    target: childOf(element, 'target')?.attributes.get('uri'),
  }
}

function writeEntry(entry: DialogEntry) {
  const { id, callId, localTag, remoteTag, direction, event, code } = entry
  return xml('dialog', { id, 'call-id': callId, 'local-tag': localTag, 'remote-tag': remoteTag, direction }, [
    xml('state', { event, code }, [entry.state]),
    xmlOf('duration', entry.durationSeconds),
    writeParty('local', entry.local),
    writeParty('remote', entry.remote),
  ])
}

function writeParty(name: string, party: DialogParty | undefined) {
  if (party === undefined) return undefined
  return xml(name, {}, [
    xmlOf('identity', party.identity, { display: party.displayName }),
    party.target === undefined ? undefined : xml('target', { uri: party.target }),
  ])
}
