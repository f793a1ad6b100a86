/** Who is in a conference: the package `conference` of RFC 4575, its users, endpoints and media. */
import { eventEntriesMax } from '../../limits'
import type { EventPackage } from '../event-package'
import { childOf, childrenOf, numberOf, readXml, textOf, type XmlElement } from '../xml/read'
import { xml, xmlDocument, xmlOf } from '../xml/write'

/** What an element tells: all, changes, or that it is gone (RFC 4575 §4.4). */
export type ConferencePart = 'full' | 'partial' | 'deleted'

/** One conference. */
export interface ConferenceInfo {
  readonly entity: string
  /** As it came; the notifier's own count when it is written. */
  readonly version?: number | undefined
  readonly kind: ConferencePart
  readonly subject?: string | undefined
  readonly userCount?: number | undefined
  readonly usersMax?: number | undefined
  readonly isActive?: boolean | undefined
  readonly isLocked?: boolean | undefined
  readonly users: readonly ConferenceUser[]
}

/** Somebody in it. */
export interface ConferenceUser {
  readonly entity: string
  readonly kind?: ConferencePart | undefined
  readonly displayText?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly endpoints: readonly ConferenceEndpoint[]
}

/** One device of that user. */
export interface ConferenceEndpoint {
  readonly entity: string
  readonly kind?: ConferencePart | undefined
  readonly displayText?: string | undefined
  /** `pending`, `dialing-out`, `dialing-in`, `alerting`, `connected`, `on-hold`, `muted-via-focus`, `disconnecting`, `disconnected`. */
  readonly status?: string | undefined
  /** `dialed-in`, `dialed-out`, `focus-owner`. */
  readonly joiningMethod?: string | undefined
  readonly media?: readonly ConferenceMedia[] | undefined
}

/** One stream of that device. */
export interface ConferenceMedia {
  readonly id: string
  readonly type?: string | undefined
  readonly label?: string | undefined
  readonly status?: string | undefined
}

const conferenceInfo = 'urn:ietf:params:xml:ns:conference-info'

/** The package `conference`. */
export const conferencePackage: EventPackage<ConferenceInfo> = {
  name: 'conference',
  contentType: 'application/conference-info+xml',
  expiresSeconds: 3600,
  forks: 'one',
  read: (body) => {
    const result = readXml(body)
    if (!result.ok) return result
    const { root } = result
    const entity = root.attributes.get('entity')
    if (root.name !== 'conference-info' || root.namespace !== conferenceInfo)
      return { ok: false, reason: 'no conference-info' }
    if (entity === undefined) return { ok: false, reason: 'no entity' }
    const users = childOf(root, 'users')
    const description = childOf(root, 'conference-description')
    const state = childOf(root, 'conference-state')
    return {
      ok: true,
      state: {
        entity,
        version: numberOf(root.attributes.get('version')),
        kind: partOf(root) ?? 'full',
        subject: description === undefined ? undefined : textOf(description, 'subject'),
        usersMax: description === undefined ? undefined : numberOf(textOf(description, 'maximum-user-count')),
        userCount: state === undefined ? undefined : numberOf(textOf(state, 'user-count')),
        isActive: state === undefined ? undefined : flagOf(textOf(state, 'active')),
        isLocked: state === undefined ? undefined : flagOf(textOf(state, 'locked')),
        users: users === undefined ? [] : childrenOf(users, 'user').map(readUser),
      },
    }
  },
  write: (info, version) => {
    const { entity, kind, users } = info
    const described = info.subject !== undefined || info.usersMax !== undefined
    const counted = [info.userCount, info.isActive, info.isLocked].some((each) => each !== undefined)
    return xmlDocument(
      xml('conference-info', { xmlns: conferenceInfo, entity, state: kind, version }, [
        described
          ? xml('conference-description', {}, [
              xmlOf('subject', info.subject),
              xmlOf('maximum-user-count', info.usersMax),
            ])
          : undefined,
        counted
          ? xml('conference-state', {}, [
              xmlOf('user-count', info.userCount),
              xmlOf('active', info.isActive?.toString()),
              xmlOf('locked', info.isLocked?.toString()),
            ])
          : undefined,
        users.length === 0 ? undefined : xml('users', {}, users.map(writeUser)),
      ]),
    )
  },
  merge: (known, news) => {
    if (news.kind === 'full') return news
    if (news.kind === 'deleted') return { ...news, kind: 'full', users: [] }
    if (known?.version === undefined || news.version === undefined) return undefined
    if (news.version <= known.version) return known
    if (news.version !== known.version + 1) return undefined
    const users = mergeParts(known.users, news.users, (old, fresh) => ({
      entity: old.entity,
      displayText: fresh.displayText ?? old.displayText,
      roles: fresh.roles ?? old.roles,
      endpoints: mergeParts(old.endpoints, fresh.endpoints, mergeEndpoint) ?? [],
    }))
    if (users === undefined) return undefined
    return {
      entity: news.entity,
      version: news.version,
      kind: 'full',
      subject: news.subject ?? known.subject,
      usersMax: news.usersMax ?? known.usersMax,
      userCount: news.userCount ?? known.userCount,
      isActive: news.isActive ?? known.isActive,
      isLocked: news.isLocked ?? known.isLocked,
      users,
    }
  },
}

/** RFC 4575 §4.6: what is new, changed or gone by its key; undefined when there are too many. */
function mergeParts<Part extends { readonly entity: string; readonly kind?: ConferencePart | undefined }>(
  known: readonly Part[],
  news: readonly Part[],
  merge: (old: Part, fresh: Part) => Part,
): readonly Part[] | undefined {
  const byEntity = new Map(known.map((part) => [part.entity, part]))
  for (const fresh of news) {
    const old = byEntity.get(fresh.entity)
    if (fresh.kind === 'deleted') byEntity.delete(fresh.entity)
    else byEntity.set(fresh.entity, old !== undefined && fresh.kind === 'partial' ? merge(old, fresh) : fresh)
  }
  return byEntity.size > eventEntriesMax ? undefined : [...byEntity.values()]
}

function mergeEndpoint(old: ConferenceEndpoint, fresh: ConferenceEndpoint): ConferenceEndpoint {
  return {
    entity: old.entity,
    displayText: fresh.displayText ?? old.displayText,
    status: fresh.status ?? old.status,
    joiningMethod: fresh.joiningMethod ?? old.joiningMethod,
    media: fresh.media !== undefined && fresh.media.length > 0 ? fresh.media : old.media,
  }
}

function partOf(element: XmlElement): ConferencePart | undefined {
  const state = element.attributes.get('state')
  return state === 'full' || state === 'partial' || state === 'deleted' ? state : undefined
}

function flagOf(text: string | undefined): boolean | undefined {
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : undefined
}

function readUser(element: XmlElement): ConferenceUser {
  const roles = childOf(element, 'roles')
  return {
    entity: element.attributes.get('entity') ?? '',
    kind: partOf(element),
    displayText: textOf(element, 'display-text'),
    roles: roles === undefined ? undefined : childrenOf(roles, 'entry').map(({ text }) => text.trim()),
    endpoints: childrenOf(element, 'endpoint').map((endpoint) => ({
      entity: endpoint.attributes.get('entity') ?? '',
      kind: partOf(endpoint),
      displayText: textOf(endpoint, 'display-text'),
      status: textOf(endpoint, 'status'),
      joiningMethod: textOf(endpoint, 'joining-method'),
      media: childrenOf(endpoint, 'media').map((media) => ({
        id: media.attributes.get('id') ?? '',
        type: textOf(media, 'type'),
        label: textOf(media, 'label'),
        status: textOf(media, 'status'),
      })),
    })),
  }
}

function writeUser(user: ConferenceUser) {
  const { entity, kind: state, displayText, roles, endpoints } = user
  return xml('user', { entity, state }, [
    xmlOf('display-text', displayText),
    roles === undefined
      ? undefined
      : xml(
          'roles',
          {},
          roles.map((role) => xmlOf('entry', role)),
        ),
    ...endpoints.map((endpoint) =>
      xml('endpoint', { entity: endpoint.entity, state: endpoint.kind }, [
        xmlOf('display-text', endpoint.displayText),
        xmlOf('status', endpoint.status),
        xmlOf('joining-method', endpoint.joiningMethod),
        ...(endpoint.media ?? []).map(({ id, type, label, status }) =>
          xml('media', { id }, [xmlOf('type', type), xmlOf('label', label), xmlOf('status', status)]),
        ),
      ]),
    ),
  ])
}
