/** Bodies: media types, dispositions, multipart (RFC 3261 §20.11, §20.15; RFC 2046; RFC 5621). */
export {
  type BodyPart,
  findPart,
  findPartById,
  leafParts,
  type PartHeader,
  partHeader,
  unsupportedPart,
} from './body-part'
export { type BuiltBody, buildMultipart, type MultipartInit, type PartInit } from './build-multipart'
export { ContentDisposition } from './content-disposition'
export { type BodyProblemCode, bodyProblemCodes } from './errors'
export { MediaType } from './media-type'
export { type BodySource, bodyOf, type MultipartOptions, parseBody } from './multipart'
