/** Registrations as they come and go: the package `reg` of RFC 3680, with the GRUUs of RFC 5628. */
import { eventEntriesMax } from '../../limits'
import type { EventPackage } from '../event-package'
import { childOf, childrenOf, numberOf, readXml, textOf, type XmlElement } from '../xml/read'
import { xml, xmlDocument, xmlOf } from '../xml/write'

/** Registrations, one for each address of record. */
export interface RegInfo {
  /** As it came; the notifier's own count when it is written. */
  readonly version?: number | undefined
  /** `partial`: only the registrations that have changed. */
  readonly kind: 'full' | 'partial'
  readonly registrations: readonly RegistrationEntry[]
}

/** The registration of one address of record. */
export interface RegistrationEntry {
  readonly id: string
  readonly aor: string
  readonly state: 'init' | 'active' | 'terminated'
  readonly contacts: readonly RegistrationContact[]
}

/** One contact of it. */
export interface RegistrationContact {
  readonly id: string
  readonly uri: string
  readonly state: 'active' | 'terminated'
  readonly event:
    | 'registered'
    | 'created'
    | 'refreshed'
    | 'shortened'
    | 'expired'
    | 'deactivated'
    | 'probation'
    | 'unregistered'
    | 'rejected'
  /** Seconds. */
  readonly expires?: number | undefined
  /** 0 to 1. */
  readonly q?: number | undefined
  readonly callId?: string | undefined
  readonly cseq?: number | undefined
  readonly displayName?: string | undefined
  /** `+sip.instance`, as in the Contact but for its quotes. */
  readonly instance?: string | undefined
  readonly publicGruu?: string | undefined
  readonly temporaryGruu?: string | undefined
}

const regInfo = 'urn:ietf:params:xml:ns:reginfo'
const gruuInfo = 'urn:ietf:params:xml:ns:gruuinfo'
const registrationStates: ReadonlySet<string> = new Set(['init', 'active', 'terminated'])
const contactEvents: ReadonlySet<string> = new Set(
  'registered created refreshed shortened expired deactivated probation unregistered rejected'.split(' '),
)

/** The package `reg`. */
export const regPackage: EventPackage<RegInfo> = {
  name: 'reg',
  contentType: 'application/reginfo+xml',
  expiresSeconds: 3761,
  forks: 'one',
  read: (body) => {
    const result = readXml(body)
    if (!result.ok) return result
    const { root } = result
    if (root.name !== 'reginfo' || root.namespace !== regInfo) return { ok: false, reason: 'no reginfo' }
    const version = numberOf(root.attributes.get('version'))
    if (version === undefined) return { ok: false, reason: 'no version' }
    const registrations: RegistrationEntry[] = []
    for (const element of childrenOf(root, 'registration')) {
      const entry = readRegistration(element)
      if (entry === undefined) return { ok: false, reason: 'a registration lacks what it must have' }
      registrations.push(entry)
    }
    const kind = root.attributes.get('state') === 'partial' ? 'partial' : 'full'
    return { ok: true, state: { version, kind, registrations } }
  },
  write: ({ kind, registrations }, version) => {
    const hasGruu = registrations.some(({ contacts }) =>
      contacts.some(({ publicGruu, temporaryGruu }) => (publicGruu ?? temporaryGruu) !== undefined),
    )
    const attributes = { xmlns: regInfo, ...(hasGruu ? { 'xmlns:gr': gruuInfo } : {}), version, state: kind }
    return xmlDocument(
      xml(
        'reginfo',
        attributes,
        registrations.map(({ aor, id, state, contacts }) =>
          xml('registration', { aor, id, state }, contacts.map(writeContact)),
        ),
      ),
    )
  },
  merge: (known, news) => {
    if (news.kind === 'full') return news
    if (known?.version === undefined || news.version === undefined) return undefined
    if (news.version <= known.version) return known
    if (news.version !== known.version + 1) return undefined
    const byId = new Map(known.registrations.map((entry) => [entry.id, entry]))
    for (const entry of news.registrations) {
      const contacts = new Map((byId.get(entry.id)?.contacts ?? []).map((contact) => [contact.id, contact]))
      for (const contact of entry.contacts) {
        if (contact.state === 'terminated') contacts.delete(contact.id)
        else contacts.set(contact.id, contact)
      }
      if (contacts.size > eventEntriesMax) return undefined
      if (entry.state === 'terminated') byId.delete(entry.id)
      else byId.set(entry.id, { ...entry, contacts: [...contacts.values()] })
    }
    if (byId.size > eventEntriesMax) return undefined
    return { version: news.version, kind: 'full', registrations: [...byId.values()] }
  },
}

function readRegistration(element: XmlElement): RegistrationEntry | undefined {
  const aor = element.attributes.get('aor')
  const id = element.attributes.get('id')
  const state = element.attributes.get('state') ?? ''
  if (aor === undefined || id === undefined || !registrationStates.has(state)) return undefined
  const contacts: RegistrationContact[] = []
  for (const child of childrenOf(element, 'contact')) {
    const contact = readContact(child)
    if (contact === undefined) return undefined
    contacts.push(contact)
  }
  return { id, aor, state: state as RegistrationEntry['state'], contacts }
}

function readContact(element: XmlElement): RegistrationContact | undefined {
  const { attributes } = element
  const id = attributes.get('id')
  const uri = textOf(element, 'uri')
  const state = attributes.get('state')
  const event = attributes.get('event') ?? ''
  if (id === undefined || uri === undefined || (state !== 'active' && state !== 'terminated')) return undefined
  if (!contactEvents.has(event)) return undefined
  const q = Number(attributes.get('q') ?? Number.NaN)
  const instance = childrenOf(element, 'unknown-param').find(
    ({ attributes: own }) => own.get('name') === '+sip.instance',
  )
  return {
    id,
    uri,
    state,
    event: event as RegistrationContact['event'],
    expires: numberOf(attributes.get('expires')),
    q: q >= 0 && q <= 1 ? q : undefined,
    callId: attributes.get('callid'),
    cseq: numberOf(attributes.get('cseq')),
    displayName: textOf(element, 'display-name'),
    instance: instance?.text.trim().replace(/^"|"$/g, ''),
    publicGruu: childOf(element, 'pub-gruu')?.attributes.get('uri'),
    temporaryGruu: childOf(element, 'temp-gruu')?.attributes.get('uri'),
  }
}

function writeContact(contact: RegistrationContact) {
  const { id, state, event, expires, q, callId, cseq, instance, publicGruu, temporaryGruu } = contact
  return xml('contact', { id, state, event, expires, q, callid: callId, cseq }, [
    xml('uri', {}, [contact.uri]),
    xmlOf('display-name', contact.displayName),
    instance === undefined ? undefined : xml('unknown-param', { name: '+sip.instance' }, [`"${instance}"`]),
    publicGruu === undefined ? undefined : xml('gr:pub-gruu', { uri: publicGruu }),
    temporaryGruu === undefined ? undefined : xml('gr:temp-gruu', { uri: temporaryGruu, 'first-cseq': cseq ?? 0 }),
  ])
}
