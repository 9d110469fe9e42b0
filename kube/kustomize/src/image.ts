import type { KustomizeCache } from './cache.ts';
import { BuildFailure } from './failure.ts';
import type { ImageEntry } from './kustomization.ts';
import { compilePattern, type Matcher } from './pattern.ts';

const TAG_AND_DIGEST =
  '(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?$';

// With these characters a name means itself, but for the dot, which matches any character.
const USUAL_NAME = /^[A-Za-z0-9_./:@-]*$/;
const TAIL = new RegExp(`^${TAG_AND_DIGEST}`);

/** Whether an image is one of the name given, with any tag and digest. The name is a pattern, as in the original. */
export function imageMatcher(cache: KustomizeCache, name: string): Matcher {
  if (USUAL_NAME.test(name)) {
    return (image) => startsLike(image, name) && TAIL.test(image.slice(name.length));
  }
  try {
    return compilePattern(cache, `^${name}${TAG_AND_DIGEST}`);
  } catch (error) {
    if (error instanceof BuildFailure) return () => false;
    throw error;
  }
}

function startsLike(image: string, name: string): boolean {
  if (image.length < name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== image[i] && (name[i] !== '.' || image[i] === '\n')) return false;
  }
  return true;
}

/** An image's parts. A port in the registry's name is no tag. */
export function splitImage(image: string): { name: string; tag: string; digest: string } {
  const from = Math.max(image.indexOf('/'), 0);
  const at = image.indexOf('@', from);
  const colon = image.indexOf(':', from);
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' };
  if (at >= 0 && (colon < 0 || at < colon)) {
    return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  }
  return {
    name: image.slice(0, colon),
    tag: image.slice(colon + 1, at < 0 ? undefined : at),
    digest: at < 0 ? '' : image.slice(at + 1),
  };
}

/** The image with the name, tag or digest that the entry gives. */
export function changedImage(image: string, entry: ImageEntry): string {
  let { name, tag, digest } = splitImage(image);
  if (entry.newName) name = entry.newName;
  if (entry.newTag) {
    tag = entry.newTag;
    digest = entry.digest ?? '';
  } else if (entry.digest) {
    tag = '';
    digest = entry.digest;
  } else if (entry.tagSuffix) {
    tag += entry.tagSuffix;
    digest = '';
  }
  return `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}
