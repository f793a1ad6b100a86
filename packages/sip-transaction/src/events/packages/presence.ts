/** Presence: the package of RFC 3856, bodies in PIDF (RFC 3863), what a person does in RPID (RFC 4480 §3.2). */
import type { EventPackage } from '../event-package'
import { childOf, childrenOf, readXml, textOf, type XmlElement } from '../xml/read'
import { xml, xmlDocument, xmlOf } from '../xml/write'

/** What a presentity is. */
export interface Presence {
  /** The presentity: `pres:alice@example.com` or a SIP URI. */
  readonly entity: string
  readonly tuples: readonly PresenceTuple[]
  /** Words about the presentity as a whole. */
  readonly notes: readonly string[]
  /** What the person does, in the words of RFC 4480: `on-the-phone`, `away`, `busy`. */
  readonly activities: readonly string[]
}

/** One way to reach a presentity. */
export interface PresenceTuple {
  readonly id: string
  /** Undefined when the tuple does not say. */
  readonly basic?: 'open' | 'closed' | undefined
  readonly contact?: string | undefined
  /** 0 to 1. */
  readonly priority?: number | undefined
  readonly notes?: readonly string[] | undefined
  /** As RFC 3339 writes it. */
  readonly timestamp?: string | undefined
}

const pidf = 'urn:ietf:params:xml:ns:pidf'
const dataModel = 'urn:ietf:params:xml:ns:pidf:data-model'
const rpid = 'urn:ietf:params:xml:ns:pidf:rpid'

/** The package `presence`. */
export const presencePackage: EventPackage<Presence> = {
  name: 'presence',
  contentType: 'application/pidf+xml',
  expiresSeconds: 3600,
  forks: 'one',
  read: (body) => {
    const result = readXml(body)
    if (!result.ok) return result
    const { root } = result
    const entity = root.attributes.get('entity')
    if (root.name !== 'presence' || root.namespace !== pidf) return { ok: false, reason: 'no PIDF' }
    if (entity === undefined) return { ok: false, reason: 'no entity' }
    const tuples = childrenOf(root, 'tuple').map(readTuple)
    return { ok: true, state: { entity, tuples, notes: notesOf(root), activities: activitiesOf(root) } }
  },
  write: ({ entity, tuples, notes, activities }) => {
    const person = xml('dm:person', { id: 'person' }, [
      xml(
        'rpid:activities',
        {},
        activities.filter(isActivity).map((each) => xml(`rpid:${each}`)),
      ),
    ])
    const isExtended = activities.some(isActivity)
    const extensions = isExtended ? { 'xmlns:dm': dataModel, 'xmlns:rpid': rpid } : {}
    return xmlDocument(
      xml('presence', { xmlns: pidf, ...extensions, entity }, [
        ...tuples.map(writeTuple),
        ...notes.map((note) => xmlOf('note', note)),
        isExtended ? person : undefined,
      ]),
    )
  },
}

/**
 * One presentity out of what its devices have published, the latest first (RFC 3903 §3, RFC 4479 §3): the tuples of all,
 * their ids made different where they are not, and every note and activity once.
 */
export function composePresence(entity: string, published: readonly Presence[]): Presence {
  const ids = new Set<string>()
  const tuples: PresenceTuple[] = []
  for (const presence of published) {
    for (const tuple of presence.tuples) {
      let { id } = tuple
      for (let count = 2; ids.has(id); count += 1) id = `${tuple.id}-${count}`
      ids.add(id)
      tuples.push({ ...tuple, id })
    }
  }
  const all = <Item>(pick: (presence: Presence) => readonly Item[]) => [...new Set(published.flatMap(pick))]
  return { entity, tuples, notes: all(({ notes }) => notes), activities: all(({ activities }) => activities) }
}

function readTuple(element: XmlElement): PresenceTuple {
  const status = childOf(element, 'status')
  const basic = status === undefined ? undefined : textOf(status, 'basic')
  const contact = childOf(element, 'contact')
  const priority = Number(contact?.attributes.get('priority') ?? Number.NaN)
  return {
    id: element.attributes.get('id') ?? '',
    basic: basic === 'open' || basic === 'closed' ? basic : undefined,
    contact: contact?.text.trim(),
    priority: priority >= 0 && priority <= 1 ? priority : undefined,
    notes: notesOf(element),
    timestamp: textOf(element, 'timestamp'),
  }
}

function writeTuple(tuple: PresenceTuple) {
  return xml('tuple', { id: tuple.id }, [
    xml('status', {}, [xmlOf('basic', tuple.basic)]),
    xmlOf('contact', tuple.contact, { priority: tuple.priority }),
    ...(tuple.notes ?? []).map((note) => xmlOf('note', note)),
    xmlOf('timestamp', tuple.timestamp),
  ])
}

function notesOf(element: XmlElement): readonly string[] {
  return childrenOf(element, 'note').map((note) => note.text.trim())
}

function activitiesOf(root: XmlElement): readonly string[] {
  const person = root.children.find(({ name, namespace }) => name === 'person' && namespace === dataModel)
  const activities = person === undefined ? undefined : childOf(person, 'activities')
  return (activities?.children ?? []).filter(({ namespace }) => namespace === rpid).map(({ name }) => name)
}

/** What can be the name of an element. */
function isActivity(text: string): boolean {
  return /^[a-z][a-z-]*$/.test(text)
}
