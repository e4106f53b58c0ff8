// What is used of the package fs-native-extensions, which has no types.
declare module "fs-native-extensions" {
  /** A lock on the whole file, exclusive, held by the open file: until it is closed or its process ends. False: another has one. */
  export function tryLock(fd: number): boolean;
}
