/** Looking up and replacing attributes by name (RFC 8866 §5.13). Names are compared exactly: they are case-sensitive. */
import { SipUsageError } from '../../errors'
import type { Attribute } from '../session'

/** Anything with attributes: a session description or one of its media. */
export interface HasAttributes {
  readonly attributes: readonly Attribute[]
}

/** The first attribute of that name, or undefined. */
export function getAttribute(section: HasAttributes, name: string): Attribute | undefined {
  return section.attributes.find((attribute) => attribute.name === name)
}

/** All attributes of that name, in order. */
export function getAttributes(section: HasAttributes, name: string): readonly Attribute[] {
  return section.attributes.filter((attribute) => attribute.name === name)
}

/** True when there is an attribute of that name. */
export function hasAttribute(section: HasAttributes, name: string): boolean {
  return getAttribute(section, name) !== undefined
}

/**
 * A copy in which the first attribute of that name has the new value and others of that name are gone; added at the end
 * when there was none. Throws SipUsageError VALUE_INVALID for a name that is empty or holds a colon, HEADER_INJECTION for
 * CR, LF or NUL.
 */
export function withAttribute<T extends HasAttributes>(section: T, name: string, value?: string): T {
  if (name === '' || name.includes(':')) throw new SipUsageError('VALUE_INVALID', 'name of an attribute')
  if (/[\r\n\0]/.test(`${name}${value ?? ''}`)) throw new SipUsageError('HEADER_INJECTION', 'attribute')
  const attribute: Attribute = value === undefined ? { name } : { name, value }
  const attributes: Attribute[] = []
  let isPlaced = false
  for (const old of section.attributes) {
    if (old.name !== name) attributes.push(old)
    else if (!isPlaced) {
      attributes.push(attribute)
      isPlaced = true
    }
  }
  if (!isPlaced) attributes.push(attribute)
  return { ...section, attributes }
}

/** A copy without the attributes of these names. */
export function withoutAttributes<T extends HasAttributes>(section: T, names: ReadonlySet<string>): T {
  return { ...section, attributes: section.attributes.filter((attribute) => !names.has(attribute.name)) }
}
