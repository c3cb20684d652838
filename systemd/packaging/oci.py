"""An OCI image as bytes that depend on nothing but their input: a layout directory, and the same as one tar."""
import gzip
import hashlib
import io
import json
import pathlib
import tarfile

KIND = "application/vnd.oci.image."


class Tree:
    """What a layer holds: {path without leading slash: tar entry and content}, each folder before what is in it."""

    def __init__(self, mtime):
        self.mtime, self.entries = mtime, {}

    def _add(self, path, kind, mode, owner=0, content=b"", target=""):
        parent = str(pathlib.PurePosixPath(path).parent)
        if parent != "." and parent not in self.entries:
            self.folder(parent)
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.mtime, entry.linkname, entry.size = kind, mode, self.mtime, target, len(content)
        entry.uid = entry.gid = owner
        self.entries[path] = (entry, content)

    def folder(self, path, mode=0o755, owner=0):
        self._add(path, tarfile.DIRTYPE, mode, owner)

    def file(self, path, content, mode=0o644):
        self._add(path, tarfile.REGTYPE, mode, content=content)

    def link(self, path, target):
        self._add(path, tarfile.SYMTYPE, 0o777, target=target)

    def tar(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path in sorted(self.entries):
                entry, content = self.entries[path]
                archive.addfile(entry, io.BytesIO(content))
        return packed.getvalue()


class Layout:
    """A layout directory: made empty, filled by image(), packed by archive()."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)

    def blob(self, kind, content):
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": KIND + kind, "digest": f"sha256:{digest}", "size": len(content)}

    def json(self, kind, value):
        return self.blob(kind, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())

    def image(self, platform, created, trees, history, run, annotations, name):
        """Writes the image whose layers are the trees, lowest first; its digest."""
        tars = [tree.tar() for tree in trees]
        layers = [self.blob("layer.v1.tar+gzip", gzip.compress(tar, 9, mtime=0)) for tar in tars]
        config = self.json("config.v1+json", {
            **platform, "created": created, "config": {**run, "Labels": annotations},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]},
            "history": [{"created": created, "created_by": words} for words in history]})
        manifest = self.json("manifest.v1+json", {"schemaVersion": 2, "mediaType": KIND + "manifest.v1+json", "config": config,
                                                  "layers": layers, "annotations": annotations})
        index = {"schemaVersion": 2, "mediaType": KIND + "index.v1+json", "manifests": [
            {**manifest, "platform": platform, "annotations": {"org.opencontainers.image.ref.name": name}}]}
        (self.folder / "index.json").write_text(json.dumps(index, sort_keys=True, separators=(",", ":")))
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        return manifest["digest"]

    def archive(self, path, mtime):
        """The layout as one tar, with the names that readers look for first."""
        tree = Tree(mtime)
        for file in self.folder.rglob("*"):
            if file.is_file():
                tree.file(str(file.relative_to(self.folder)), file.read_bytes())
        path.write_bytes(tree.tar())
