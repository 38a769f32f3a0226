"""The entities of a crate, by the `rocrate` library."""

from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from gwsd.standards.crate_files import CrateFile

RUN_CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PARAMETER_PROFILE = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"


class Graph:
    """A crate that grows; an entity is added once, and found again by its identifier."""

    def __init__(self) -> None:
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_contexts.append(RUN_CONTEXT)

    def get(self, identifier: str) -> Entity | None:
        """Return an entity, or None."""
        return self.crate.get(identifier)

    def add(self, identifier: str, kind: str, /, **properties: Any) -> Entity:
        """Add an entity that is no file of the crate; return the one that is there already."""
        known = self.crate.get(identifier)
        if known is not None:
            return known
        return self.crate.add(ContextEntity(self.crate, identifier, properties={"@type": kind, **properties}))

    def add_file(self, file: CrateFile, description: str, **more: Any) -> Entity:
        """Add a file, as part of the crate or by reference; return the one that is there already."""
        known = self.crate.get(file.identifier)
        if known is not None:
            return known
        where = {name: value for name, value in (("url", file.url), ("identifier", file.doi)) if value}
        about = {
            "name": file.name,
            "description": description,
            "encodingFormat": file.encoding_format,
            "contentSize": str(file.bytes),
            "sha256": file.sha256,
            **where,
            **more,
        }
        if file.included:
            return self.crate.add_file(dest_path=file.path, properties=about)
        return self.add(file.identifier, "File", **about)

    def add_parameter(self, identifier: str, name: str, kind: str, role: str, of: Entity, example: Entity) -> Entity:
        """Add what a program or the workflow takes or gives, and link it with a file or value that it was."""
        profile = {"@id": PARAMETER_PROFILE}
        parameter = self.add(identifier, "FormalParameter", name=name, additionalType=kind, conformsTo=profile)
        append(of, role, parameter)
        append(example, "exampleOfWork", parameter)
        return parameter

    def document(self) -> dict[str, Any]:
        """Return the crate's JSON; lists of one are that one and empty ones left out, as RO-Crate 1.1 asks."""
        document = self.crate.metadata.generate()
        for entity in document["@graph"]:
            for name, value in list(entity.items()):
                if isinstance(value, list) and not value:
                    del entity[name]
                elif isinstance(value, list) and len(value) == 1:
                    entity[name] = value[0]
        return document


def append(entity: Entity, name: str, value: Entity) -> None:
    """Add an entity to a property of another, once."""
    if {"@id": value.id} not in entity.properties().get(name, []):
        entity.append_to(name, value)


def once(entities: list[Entity]) -> list[Entity]:
    """Return entities without repetition, in order."""
    return list({entity.id: entity for entity in entities}.values())
