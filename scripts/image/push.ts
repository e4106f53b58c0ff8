// An image to a registry: its blobs, and only then the tag. What fails before the last step leaves the tag as it was.
import { Failure } from "../failure.js";
import type { FilterImage } from "./filter-image.js";
import type { Repository } from "./registry.js";

export interface Push {
  readonly image: FilterImage;
  readonly tag: string;
  /** Let a tag that names another image name this one. */
  readonly move: boolean;
}

export interface Pushed {
  /** How many blobs the registry did not have. */
  readonly uploaded: number;
  /** What the tag named before; undefined: nothing. */
  readonly before: string | undefined;
}

/** @throws Failure: what failed, and what stands under the tag now */
export async function push(repository: Repository, { image, tag, move }: Push): Promise<Pushed> {
  const { manifest, config, layer } = image;
  const before = await repository.digestOfTag(tag);
  if (before === manifest.digest) return { uploaded: 0, before };
  if (before !== undefined && !move) {
    const expected = `expected no image or ${manifest.digest}; --move lets it name this one`;
    throw new Failure(`the tag ${tag} names another image, ${before}: ${expected}`);
  }
  let uploaded = 0;
  try {
    for (const blob of [layer, config]) {
      if (await repository.has(blob)) continue;
      await repository.upload(blob);
      uploaded += 1;
    }
  } catch (error) {
    if (error instanceof Failure) throw new Failure(`${error.message}; the tag ${tag} is as it was`);
    throw error;
  }
  await repository.putManifest(tag, manifest);
  const after = await repository.digestOfTag(tag);
  if (after !== manifest.digest)
    throw new Failure(`the tag ${tag} names ${after ?? "nothing"} after the push, expected ${manifest.digest}`);
  return { uploaded, before };
}
